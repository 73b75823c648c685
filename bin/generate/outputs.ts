import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { launcherSource } from './launcher.js'
import { readVerbs } from './read.js'
import { tableSource } from './table.js'

/** Paths below the project's top folder, and what each file is to hold. */
export type Outputs = ReadonlyMap<string, string>

/** Everything that is made from `sdk/verbs/` below a folder. Throws a GeneratorError. */
export function outputsFor(top: string): Outputs {
  const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { version: string }
  const sources = readVerbs(top)
  return new Map([
    ['bin/verbs.gen.ts', tableSource(sources, version)],
    ['bin/verbs.gen.sh', launcherSource(sources)],
  ])
}
