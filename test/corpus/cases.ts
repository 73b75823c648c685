import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { top } from '../lane.js'

/** Where the Containerfiles of the corpus are. */
export const cases = join(top, 'test/corpus/cases')

/** Their names: a case is NAME.Containerfile. */
export function caseNames(): readonly string[] {
  return readdirSync(cases)
    .filter((file) => file.endsWith('.Containerfile'))
    .map((file) => basename(file, '.Containerfile'))
}

/** The flags that a case is built with. */
export function argsOf(name: string, context: string): readonly string[] {
  const file = join(cases, `${name}.args`)
  return existsSync(file) ? readFileSync(file, 'utf8').trim().replaceAll('CONTEXT', context).split('\n') : []
}
