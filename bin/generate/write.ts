import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Outputs } from './outputs.js'

/** Writes what differs and removes generated files that are of no verb any more. */
export function write(top: string, outputs: Outputs): void {
  for (const [path, text] of outputs) {
    const file = join(top, path)
    if (contentOf(file) === text) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  for (const path of leftOver(top, outputs)) rmSync(join(top, path))
}

/** What {@link write} would do, a line a file; empty when nothing. */
export function differences(top: string, outputs: Outputs): string[] {
  const changed = [...outputs].flatMap(([path, text]) => {
    const now = contentOf(join(top, path))
    if (now === text) return []
    return [now === undefined ? `${path}: is missing` : `${path}: ${firstDifference(now, text)}`]
  })
  return [...changed, ...leftOver(top, outputs).map((path) => `${path}: is of no verb`)]
}

function contentOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** Folders that hold nothing but generated files. */
const ownFolders = ['docs/reference', 'docs/man', 'bin/completion']

function leftOver(top: string, outputs: Outputs): string[] {
  return ownFolders
    .filter((folder) => existsSync(join(top, folder)))
    .flatMap((folder) => readdirSync(join(top, folder)).map((name) => `${folder}/${name}`))
    .filter((path) => !outputs.has(path))
}

function firstDifference(now: string, wanted: string): string {
  const old = now.split('\n')
  const lines = wanted.split('\n')
  const first = lines.findIndex((line, i) => line !== old[i])
  const at = first < 0 ? lines.length : first
  const changed = Math.max(lines.length, old.length) - lines.filter((line, i) => line === old[i]).length
  return `${changed} lines differ, the first is ${at + 1}: ${(lines[at] ?? '(end)').trim().slice(0, 80)}`
}
