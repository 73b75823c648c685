import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf, hexOf } from '../image/digest.js'
import type { Store } from './store.js'
import { replaceFile } from './temporary.js'

/** What is known of the files below a folder of this machine, by their path (bytes as latin1). */
export type FileDigests = Map<string, FileDigest>

/** The content of a file that was read once. */
export interface FileDigest {
  /** Inode, size, and the times of its last modification and change: another one, and the file must be read again. */
  readonly stamp: string
  /** 64 hexadecimal digits. */
  readonly content: string
}

/** What was known of the files below a folder; empty when nothing is, or the file that says it is damaged. */
export function readFileDigests(store: Store, folder: string): FileDigests {
  try {
    const [first, ...lines] = readFileSync(pathOf(store, folder), 'latin1').split('\n')
    const known: FileDigests = new Map()
    // A file that is cut off has no last line feed.
    if (first !== format || lines.pop() !== '') return known
    for (const line of lines) {
      const path = line.indexOf(' ', stampAt)
      if (path > 0) known.set(line.slice(path + 1), { content: line.slice(0, 64), stamp: line.slice(stampAt, path) })
    }
    return known
  } catch {
    return new Map()
  }
}

/** Keeps what is known now. That it cannot be written is no error: the files are read again then. */
export function writeFileDigests(store: Store, folder: string, known: FileDigests): void {
  const lines = [...known].filter(([path]) => !path.includes('\n'))
  const text = lines.map(([path, { stamp, content }]) => `${content} ${stamp} ${path}\n`).join('')
  try {
    mkdirSync(folderOf(store), { recursive: true, mode: 0o700 })
    replaceFile(store, pathOf(store, folder), Buffer.from(`${format}\n${text}`, 'latin1'))
  } catch {
    // A full disk, or a store that may only be read.
  }
}

/** Forgets what nobody asked for since a time (milliseconds since 1970), and gives the bytes that it had. */
export function dropFileDigests(store: Store, before: number): number {
  let bytes = 0
  for (const name of namesIn(store)) {
    const path = join(folderOf(store), name)
    const { mtimeMs = 0, size = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {}
    if (mtimeMs >= before) continue
    rmSync(path, { force: true })
    bytes += size
  }
  return bytes
}

const format = 'builder-file-digests/1'
const stampAt = 65

function namesIn(store: Store): string[] {
  try {
    return readdirSync(folderOf(store))
  } catch {
    return []
  }
}

function pathOf(store: Store, folder: string): string {
  return join(folderOf(store), hexOf(digestOf(folder)))
}

function folderOf(store: Store): string {
  return join(store.root, 'cache/files')
}
