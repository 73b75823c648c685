import { type BigIntStats, lstatSync, readdirSync } from 'node:fs'
import type { Path } from '../namespace/libc.js'
import { bytesOf, systemPath } from './names.js'

export type Kind = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket'

/** One file of a tree. */
export interface TreeEntry {
  /** Bytes as latin1, relative to the root, no slash before or after; empty for the root itself. */
  readonly name: string
  readonly path: Path
  readonly kind: Kind
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes. */
  readonly size: number
  /** Nanoseconds since 1970. */
  readonly mtime: bigint
  readonly links: number
  readonly inode: bigint
  readonly rdev: bigint
}

/**
 * Walks a directory: itself first, then what is in it, names sorted by bytes, each directory followed by its content.
 * Whiteouts come before their siblings, as OCI image-spec layer.md asks. Nothing is followed.
 *
 * @param skip - Names (as in {@link TreeEntry}) to leave out with all that is below them.
 */
export function* walk(directory: string, skip: ReadonlySet<string> = new Set()): Generator<TreeEntry> {
  const root = bytesOf(directory)
  const top = entryOf(root, '', skip)
  if (!top) return
  const stack = [[top]]
  while (stack.length > 0) {
    const entry = stack.at(-1)?.pop()
    if (!entry) {
      stack.pop()
      continue
    }
    yield entry
    if (entry.kind === 'directory') stack.push(childrenOf(root, entry, skip))
  }
}

/** True for the device by which overlayfs says that a file is gone. */
export function isWhiteout(entry: TreeEntry): boolean {
  return entry.kind === 'character' && entry.rdev === 0n
}

/** The entries of a directory, last first, so that the next one can be popped. */
function childrenOf(root: string, directory: TreeEntry, skip: ReadonlySet<string>): TreeEntry[] {
  const prefix = directory.name === '' ? '' : `${directory.name}/`
  const gone: TreeEntry[] = []
  const there: TreeEntry[] = []
  // The default order of strings is by code unit, which for latin1 is by byte.
  for (const name of readdirSync(directory.path, 'latin1').sort().reverse()) {
    const entry = entryOf(root, prefix + name, skip)
    if (entry) (isWhiteout(entry) ? gone : there).push(entry)
  }
  return gone.length === 0 ? there : [...there, ...gone]
}

/** Undefined for what is left out, and for what was removed since the directory was read. */
function entryOf(root: string, name: string, skip: ReadonlySet<string>): TreeEntry | undefined {
  if (skip.size > 0 && skip.has(name)) return undefined
  const path = systemPath(`${root}/${name || '.'}`)
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: name === '' }) as BigIntStats | undefined
  if (!stats) return undefined
  const mode = Number(stats.mode)
  return {
    name,
    path,
    kind: kinds[mode >> 12] ?? 'socket',
    mode: mode & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    mtime: stats.mtimeNs,
    links: Number(stats.nlink),
    inode: stats.ino,
    rdev: stats.rdev,
  }
}

/** By the type bits of st_mode (its top four bits), inode(7). */
const kinds: Readonly<Record<number, Kind>> = {
  1: 'fifo',
  2: 'character',
  4: 'directory',
  6: 'block',
  8: 'file',
  10: 'symlink',
  12: 'socket',
}
