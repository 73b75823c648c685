import {
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  type Dirent,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs'
import { getXattr, listXattrs, setMtime, setXattr } from './libc.js'
import { attributes, childOf, isOpaque, isWhiteout, markGone, markOpaque } from './overlay-marks.js'

/**
 * Writes into a new folder what an overlay's upper directory would hold if `tree` had been made on `lowers` (top first):
 * files that are new or differ in content or metadata, as hard links; device 0:0 for what is gone; opaque folders where
 * nothing of the old content is left. Times are not trusted: files that look the same are read.
 */
export function writeDifference(tree: string, lowers: readonly string[], into: string): void {
  const below = lowers.map((lower) => Buffer.from(lower))
  compare({ at: Buffer.from(tree), below, out: Buffer.from(into), isRoot: true, parent: () => {} })
}

interface Folder {
  readonly at: Buffer
  /** The folders of the layers that show through, top first. */
  readonly below: readonly Buffer[]
  readonly out: Buffer
  readonly isRoot: boolean
  /** Makes the folder that `out` is in. */
  readonly parent: () => void
}

function compare({ at, below, out, isRoot, parent }: Folder): void {
  let made = false
  const need = () => {
    if (made) return
    parent()
    mkdirSync(out)
    made = true
  }
  const old = visible(below)
  const [top] = below
  if (isRoot || !top || !sameMetadata(at, top)) need()
  let kept = 0
  for (const entry of entriesOf(at)) {
    const [path, target] = [childOf(at, entry.name), childOf(out, entry.name)]
    const before = old.get(entry.name.toString('latin1'))
    old.delete(entry.name.toString('latin1'))
    if (before) kept++
    if (entry.isDirectory()) {
      const through = before && 'folders' in before ? before.folders : []
      compare({ at: path, below: through, out: target, isRoot: false, parent: need })
    } else if (!(before && 'file' in before && isSame(path, before.file))) {
      need()
      linkSync(path, target)
    }
  }
  if (old.size > 0) need()
  if (made) hide(out, [...old.keys()], kept === 0 && !isRoot)
  if (made) copyMetadata(at, out)
}

type Below = { readonly folders: Buffer[]; isOpen: boolean } | { readonly file: Buffer }

/** What of the layers' folders can be seen, by name (latin1). */
function visible(folders: readonly Buffer[]): Map<string, Below> {
  const found = new Map<string, Below | 'gone'>()
  for (const folder of folders) {
    for (const entry of entriesOf(folder)) {
      const key = entry.name.toString('latin1')
      const path = childOf(folder, entry.name)
      const upper = found.get(key)
      if (upper === undefined) found.set(key, seenFirst(entry, path))
      else if (upper !== 'gone' && 'folders' in upper && upper.isOpen) seenBelow(upper, entry, path)
    }
  }
  return new Map([...found].flatMap(([key, one]) => (one === 'gone' ? [] : [[key, one] as const])))
}

function seenFirst(entry: Dirent<Buffer>, path: Buffer): Below | 'gone' {
  if (entry.isDirectory()) return { folders: [path], isOpen: !isOpaque(path) }
  return entry.isCharacterDevice() && isWhiteout(path) ? 'gone' : { file: path }
}

/** Anything but a folder ends the merging, and so does an opaque folder with itself. */
function seenBelow(upper: Extract<Below, { isOpen: boolean }>, entry: Dirent<Buffer>, path: Buffer): void {
  if (entry.isDirectory()) upper.folders.push(path)
  upper.isOpen = entry.isDirectory() && !isOpaque(path)
}

function hide(out: Buffer, names: readonly string[], all: boolean): void {
  if (names.length > 0 && all) markOpaque(out)
  else for (const name of names) markGone(childOf(out, Buffer.from(name, 'latin1')))
}

function isSame(path: Buffer, before: Buffer): boolean {
  if (!sameMetadata(path, before)) return false
  const found = lstatSync(path)
  if (found.isSymbolicLink())
    return readlinkSync(path, { encoding: 'buffer' }).equals(readlinkSync(before, { encoding: 'buffer' }))
  return !found.isFile() || sameBytes(path, before)
}

function sameMetadata(path: Buffer, before: Buffer): boolean {
  const [a, b] = [lstatSync(path, { bigint: true }), lstatSync(before, { bigint: true })]
  const keys: readonly (keyof BigIntStats)[] = ['mode', 'uid', 'gid', 'rdev', 'mtimeNs']
  if (!keys.every((key) => a[key] === b[key]) || (!a.isDirectory() && a.size !== b.size)) return false
  return attributes(path) === attributes(before)
}

function sameBytes(path: Buffer, before: Buffer): boolean {
  const files = [openSync(path, 'r'), openSync(before, 'r')] as const
  try {
    for (;;) {
      const [a, b] = [readSync(files[0], chunks[0]), readSync(files[1], chunks[1])]
      if (a !== b || !chunks[0].subarray(0, a).equals(chunks[1].subarray(0, a))) return false
      if (a === 0) return true
    }
  } finally {
    for (const file of files) closeSync(file)
  }
}

const chunks = [Buffer.alloc(1 << 18), Buffer.alloc(1 << 18)] as const

function copyMetadata(from: Buffer, to: Buffer): void {
  const { uid, gid, mode, mtimeNs } = lstatSync(from, { bigint: true })
  chownSync(to, Number(uid), Number(gid))
  chmodSync(to, Number(mode) & 0o7777)
  for (const name of listXattrs(from)) setXattr(to, name, getXattr(from, name) ?? Buffer.alloc(0))
  setMtime(to, mtimeNs)
}

function entriesOf(folder: Buffer): Dirent<Buffer>[] {
  return readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })
}
