import { createHash } from 'node:crypto'
import {
  type BigIntStats,
  chmodSync,
  chownSync,
  type Dirent,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { asBuilderError } from '../errors.js'
import { copyAttributes, copyContent } from '../layer/transplant-file.js'
import { getXattr, listXattrs, majorOf, minorOf, mknod, removeXattr, setMtime, setXattr } from '../namespace/libc.js'
import { childOf, isMark, isOpaque, isWhiteout, markGone, markOpaque } from '../namespace/overlay-marks.js'

/**
 * Makes a change, which is the upper directory of an overlay on a container's root, a part of the container's own upper
 * directory; files become hard links. What the change hides is hidden there only where a layer (top first) has it. It may be
 * done again after it was interrupted. Throws `SYSTEM`.
 */
export async function applyToUpper(change: string, upper: string, lowers: readonly string[]): Promise<void> {
  const into: Into = {
    below: lowers.map((lower) => Buffer.from(lower)),
    hide: (path) => markGone(path),
    hideBelow: (folder) => markOpaque(folder),
    file: (from, to) => linkSync(from, to),
  }
  await applied('change container', upper, () => apply(Buffer.from(change), Buffer.from(upper), into))
}

/**
 * Makes the same change in a mounted root, where removals are removals: contents, owners, modes, attributes, times and hard
 * links are copied. It may be done again after it was interrupted. Throws `SYSTEM`.
 */
export async function applyThroughMount(change: string, merged: string): Promise<void> {
  const into: Into = { below: [], hide: () => {}, hideBelow: () => {}, file: copier() }
  await applied('change container', merged, () => apply(Buffer.from(change), Buffer.from(merged), into))
}

interface Into {
  /** Folders of layers that show through, top first. */
  readonly below: readonly Buffer[]
  /** Says that a name of the layers is gone. */
  hide(path: Buffer): void
  /** Says that nothing of the layers shows in a folder. */
  hideBelow(folder: Buffer): void
  file(from: Buffer, to: Buffer): void
}

async function applied(operation: string, object: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw asBuilderError(error, operation, object)
  }
}

async function apply(from: Buffer, to: Buffer, into: Into): Promise<void> {
  for (const entry of entriesOf(from)) {
    const [source, target] = [childOf(from, entry.name), childOf(to, entry.name)]
    const hidden = shown(into.below.map((folder) => childOf(folder, entry.name)))
    if (entry.isDirectory()) await applyFolder(source, target, hidden, into)
    else {
      rmSync(target, { recursive: true, force: true })
      if (!isWhiteout(source)) into.file(source, target)
      else if (hidden.length > 0) into.hide(target)
    }
  }
  // The root's own too; last, for what was done within has changed its time.
  copyMetadata(from, to)
}

async function applyFolder(source: Buffer, target: Buffer, hidden: readonly Buffer[], into: Into): Promise<void> {
  await setImmediate()
  const old = lstatSync(target, { throwIfNoEntry: false })
  // A file or a whiteout that was there hid the layers' folder. Noted in the change, for who has to do this once more.
  if (old?.isDirectory() === false && !isOpaque(source)) markOpaque(source)
  const replaces = isOpaque(source)
  if (replaces) rmSync(target, { recursive: true, force: true })
  const isNew = !old || replaces
  if (isNew) mkdirSync(target)
  if (replaces && hidden.length > 0) into.hideBelow(target)
  const closed = replaces || isOpaque(target)
  await apply(source, target, { ...into, below: closed ? [] : folders(hidden) })
}

/** What of one name in the layers can be seen, top first: nothing, or what the first that is there lets through. */
function shown(paths: readonly Buffer[]): readonly Buffer[] {
  const there = paths.filter((path) => lstatSync(path, { throwIfNoEntry: false }))
  const [first] = there
  return first && !isWhiteout(first) ? there : []
}

/** Those that are merged into one folder: up to the first that is no folder, or is opaque. */
function folders(paths: readonly Buffer[]): readonly Buffer[] {
  const end = paths.findIndex((path) => !lstatSync(path).isDirectory())
  const merged = end < 0 ? paths : paths.slice(0, end)
  const last = merged.findIndex(isOpaque)
  return last < 0 ? merged : merged.slice(0, last + 1)
}

/** Marks say what hides what where they are; another folder has its own. */
function copyMetadata(from: Buffer, to: Buffer): void {
  const { uid, gid, mode, mtimeNs } = lstatSync(from, { bigint: true })
  for (const name of listXattrs(to)) if (!isMark(name)) removeXattr(to, name)
  chownSync(to, Number(uid), Number(gid))
  chmodSync(to, Number(mode) & 0o7777)
  for (const name of listXattrs(from)) if (!isMark(name)) setXattr(to, name, getXattr(from, name) ?? Buffer.alloc(0))
  setMtime(to, mtimeNs)
}

/** Copies what is no folder; of a file with several names the first is copied, and the others are links to it. */
function copier(): (from: Buffer, to: Buffer) => void {
  const names = new Map<bigint, Buffer>()
  return (from, to) => {
    const info = lstatSync(from, { bigint: true })
    const first = info.nlink > 1n ? names.get(info.ino) : undefined
    if (first) return linkSync(first, to)
    names.set(info.ino, to)
    make(from, to, info)
    copyAttributes(from, to, info, {})
    setMtime(to, info.mtimeNs)
  }
}

function make(from: Buffer, to: Buffer, info: BigIntStats): void {
  if (info.isSymbolicLink()) symlinkSync(readlinkSync(from, { encoding: 'buffer' }), to)
  else if (info.isFile()) copyContent(from, to, createHash('sha256'))
  else mknod(to, Number(info.mode & 0o170000n), majorOf(info.rdev), minorOf(info.rdev))
}

function entriesOf(folder: Buffer): Dirent<Buffer>[] {
  return readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })
}
