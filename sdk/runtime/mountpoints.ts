import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, rmdirSync, unlinkSync } from 'node:fs'
import { posix } from 'node:path'
import { BuilderError } from '../errors.js'
import { setMtime } from '../namespace/libc.js'
import { resolveInRoot } from '../namespace/rooted-path.js'

/** A place in the container that was made for a mount, and what to put back when it goes. */
export interface Mountpoint {
  /** Absolute path in the container, free of links. */
  readonly path: string
  readonly kind: 'file' | 'dir'
  /** The parent's modification time before it was made, nanoseconds since 1970. */
  readonly parentMtime: string
  /** The same just after: when the parent has another one later, someone else changed it, and that time stays. */
  readonly parentMtimeMade?: string
}

/** Where something shall be mounted. */
export interface MountTarget {
  readonly path: string
  readonly kind: 'file' | 'dir'
  /** Permission bits of a directory that is made. Default: 0o755. */
  readonly mode?: number
}

/**
 * The mount points that are missing, with their parents, in the order they have to be made: what {@link makeMountpoints}
 * will make, to be noted first, so that they can be found when this process is killed in between.
 *
 * Throws `INVALID` when a file stands where a directory shall be mounted, or the reverse.
 */
export function missingMountpoints(rootfs: string, targets: readonly MountTarget[]): Mountpoint[] {
  const missing = new Map<string, Mountpoint>()
  for (const target of targets)
    for (const { path, kind } of stepsTo(rootfs, target)) {
      const there = lstatSync(posix.join(rootfs, path), { throwIfNoEntry: false })
      const parent = lstatSync(posix.join(rootfs, posix.dirname(path)), { bigint: true, throwIfNoEntry: false })
      if (there === undefined) missing.set(path, { path, kind, parentMtime: String(parent?.mtimeNs ?? 0n) })
    }
  return [...missing.values()]
}

/**
 * Makes the mount points that are missing, with their parents. What exists is used as it is.
 *
 * Links are read inside `rootfs` and every directory on the way is opened without following links, so that a
 * container that changes them meanwhile cannot lead a new file out of its root.
 *
 * @returns What was made, in the order it was made. Give it to {@link removeMountpoints}.
 *
 * Throws `INVALID` when a file stands where a directory shall be mounted, or the reverse. What was made before is
 * removed again.
 */
export function makeMountpoints(rootfs: string, targets: readonly MountTarget[]): Mountpoint[] {
  const made: Mountpoint[] = []
  try {
    for (const target of targets) makeOne(rootfs, target, made)
  } catch (error) {
    removeMountpoints(rootfs, made)
    throw error
  }
  return made
}

/**
 * Removes mount points that are still as they were made (an empty file, an empty directory), the last one first, and
 * gives their parents the times they had, so that no trace of a run stays. Never throws for one that is gone or used.
 */
export function removeMountpoints(rootfs: string, made: readonly Mountpoint[]): void {
  const times = new Map<string, bigint>()
  for (const parent of new Set(made.map(({ path }) => posix.dirname(path)))) {
    const time = timeToRestore(rootfs, parent, made)
    if (time !== undefined) times.set(parent, time)
  }
  for (const one of [...made].reverse()) removeOne(rootfs, one)
  for (const [parent, time] of times) restoreTime(rootfs, parent, time)
}

/** Makes a directory and its missing parents as the container's root; `owner` gets the last one when it is new. */
export function makeDirectory(rootfs: string, path: string, owner: (made: string) => void): void {
  const inside = insideOf(rootfs, path)
  const made: Mountpoint[] = []
  makeOne(rootfs, { path, kind: 'dir' }, made)
  if (made.at(-1)?.path === inside) withParent(rootfs, inside, owner)
}

function makeOne(rootfs: string, target: MountTarget, made: Mountpoint[]): void {
  for (const { path, kind, mode } of stepsTo(rootfs, target)) {
    const there = lstatSync(posix.join(rootfs, path), { throwIfNoEntry: false })
    const one = there === undefined ? create(rootfs, path, kind, mode) : undefined
    if (one) made.push(one)
  }
}

/** A target and the directories on the way to it, links resolved. Throws `INVALID` where something else is in the way. */
function* stepsTo(rootfs: string, target: MountTarget): Iterable<MountTarget> {
  const parts = insideOf(rootfs, target.path).split('/').filter(Boolean)
  for (const i of parts.keys()) {
    const path = `/${parts.slice(0, i + 1).join('/')}`
    const isLast = i === parts.length - 1
    const kind = isLast ? target.kind : 'dir'
    const there = lstatSync(posix.join(rootfs, path), { throwIfNoEntry: false })
    if (there && there.isDirectory() !== (kind === 'dir')) throw wrongKind(target, path, kind)
    yield { path, kind, ...(isLast && target.mode !== undefined ? { mode: target.mode } : {}) }
  }
}

/** Undefined when another run in the same container made it in this moment: then it is that run's. */
function create(rootfs: string, path: string, kind: 'file' | 'dir', mode = 0o755): Mountpoint | undefined {
  const parent = posix.dirname(path)
  const parentMtime = mtimeOf(rootfs, parent)
  try {
    withParent(rootfs, path, (at) => {
      if (kind === 'dir') mkdirSync(at)
      else closeSync(openSync(at, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY))
      // Whatever the caller's umask is.
      chmodSync(at, kind === 'dir' ? mode : 0o644)
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined
    throw error
  }
  return { path, kind, parentMtime: String(parentMtime), parentMtimeMade: String(mtimeOf(rootfs, parent)) }
}

function removeOne(rootfs: string, { path, kind }: Mountpoint): void {
  try {
    withParent(rootfs, path, (at) => {
      const there = lstatSync(at)
      if (kind === 'dir') rmdirSync(at)
      else if (there.isFile() && there.size === 0 && there.nlink === 1) unlinkSync(at)
    })
  } catch {
    // Gone, filled or in use: then it is no longer ours to remove.
  }
}

function restoreTime(rootfs: string, parent: string, time: bigint): void {
  try {
    withDirectory(rootfs, parent, (path) => setMtime(path, time))
  } catch {
    // Removed together with what was in it.
  }
}

/** The parent's time before our changes, if its present time is the one our last change gave it; else the present one. */
function timeToRestore(rootfs: string, parent: string, made: readonly Mountpoint[]): bigint | undefined {
  const inside = made.filter(({ path }) => posix.dirname(path) === parent)
  try {
    return inside.reduceRight(
      (time, one) =>
        one.parentMtimeMade === undefined || one.parentMtimeMade === String(time) ? BigInt(one.parentMtime) : time,
      mtimeOf(rootfs, parent),
    )
  } catch {
    return undefined
  }
}

function mtimeOf(rootfs: string, inside: string): bigint {
  return lstatSync(posix.join(rootfs, inside), { bigint: true }).mtimeNs
}

function insideOf(rootfs: string, path: string): string {
  return `/${posix.relative(rootfs, resolveInRoot(rootfs, path))}`
}

/** Calls with a path to the last part of `inside` that goes through an open directory, not through names. */
function withParent(rootfs: string, inside: string, act: (path: string) => void): void {
  withDirectory(rootfs, posix.dirname(inside), (directory) => act(posix.join(directory, posix.basename(inside))))
}

function withDirectory(rootfs: string, inside: string, act: (path: string) => void): void {
  let directory = openSync(rootfs, O_PATH | constants.O_DIRECTORY)
  try {
    for (const part of inside.split('/').filter(Boolean)) {
      const next = openSync(`/proc/self/fd/${directory}/${part}`, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
      closeSync(directory)
      directory = next
    }
    act(`/proc/self/fd/${directory}/.`)
  } finally {
    closeSync(directory)
  }
}

function wrongKind(target: MountTarget, path: string, kind: 'file' | 'dir'): BuilderError {
  return new BuilderError('INVALID', {
    operation: 'mount on',
    object: target.path,
    reason: kind === 'dir' ? `${path} of the container is not a directory` : `${path} of the container is a directory`,
    hint: 'choose another destination',
  })
}

/** Linux's O_PATH, which node:fs does not name: opens a directory without the right to read it. */
const O_PATH = 0o10000000
