import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Paths below the project's top folder, and what each file is to hold: text, or bytes. */
export type Contents = ReadonlyMap<string, string | Buffer>

/** Writes what differs and removes generated files that are of no verb any more. */
export function write(top: string, outputs: Contents): void {
  for (const [path, text] of outputs) {
    const file = join(top, path)
    if (isEqual(contentOf(file, text), text)) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  for (const path of leftOver(top, outputs)) rmSync(join(top, path))
}

/** What {@link write} would do, a line a file; empty when nothing. */
export function differences(top: string, outputs: Contents): string[] {
  const changed = [...outputs].flatMap(([path, text]) => {
    const now = contentOf(join(top, path), text)
    if (isEqual(now, text)) return []
    if (now === undefined) return [`${path}: is missing`]
    return [
      typeof now === 'string' && typeof text === 'string'
        ? `${path}: ${firstDifference(now, text)}`
        : `${path}: differs`,
    ]
  })
  return [...changed, ...leftOver(top, outputs).map((path) => `${path}: is of no verb`)]
}

function contentOf(file: string, like: string | Buffer): string | Buffer | undefined {
  if (!existsSync(file)) return undefined
  return typeof like === 'string' ? readFileSync(file, 'utf8') : readFileSync(file)
}

function isEqual(now: string | Buffer | undefined, wanted: string | Buffer): boolean {
  return typeof now === 'object' && typeof wanted === 'object' ? now.equals(wanted) : now === wanted
}

/** Folders that hold nothing but generated files. */
const ownFolders = ['docs/reference', 'docs/man', 'bin/completion']

function leftOver(top: string, outputs: Contents): string[] {
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
