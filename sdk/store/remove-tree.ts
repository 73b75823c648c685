import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { asBuilderError, BuilderError } from '../errors.js'
import { MNT, umount } from '../namespace/libc.js'
import { mountsBelow } from '../namespace/mountinfo.js'
import type { Store } from './store.js'
import { isAbandoned, temporaryPath } from './temporary.js'

/**
 * Deletes a file or a folder of the store with all it holds, and gives back the bytes that the disk has gained.
 *
 * It is first renamed into `tmp/`, so that nobody sees half of it. Names are bytes, folders without write permission
 * are opened first, paths may be longer than the kernel takes at once. Nothing to delete is no error. Throws `IN_USE`
 * when something is mounted below, for its content is not the store's, and `SYSTEM`.
 */
export async function removeTree(store: Store, path: string): Promise<number> {
  const [mounted] = mountsBelow(path)
  if (mounted !== undefined)
    throw new BuilderError('IN_USE', {
      operation: 'remove',
      object: path,
      reason: `something is mounted on ${mounted}`,
      hint: 'unmount it first',
    })
  const unwanted = temporaryPath(store)
  try {
    renameSync(path, unwanted)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0
    throw asBuilderError(error, 'remove', path)
  }
  return emptied(store, unwanted)
}

/** Deletes what already lies under `tmp/`. Throws `SYSTEM`. */
export async function emptied(store: Store, unwanted: string): Promise<number> {
  const work: Work = { store, bytes: 0, turns: 0 }
  try {
    await remove(work, Buffer.from(unwanted))
  } catch (error) {
    throw asBuilderError(error, 'remove', unwanted)
  }
  return work.bytes
}

/**
 * Deletes what dead processes left under `tmp/`; what living ones are making stays. Needs no lock; run it inside the
 * namespace. Gives how many things and bytes. Throws `SYSTEM`.
 */
export async function emptyTmp(store: Store): Promise<{ count: number; bytes: number }> {
  const folder = join(store.root, 'tmp')
  const abandoned = readdirSync(folder).filter(isAbandoned)
  let bytes = 0
  for (const name of abandoned) {
    // What a killed process had mounted there, for a copy or a run.
    for (const mounted of mountsBelow(join(folder, name)).reverse()) umount(mounted, MNT.DETACH)
    bytes += await emptied(store, join(folder, name))
  }
  return { count: abandoned.length, bytes }
}

interface Work {
  readonly store: Store
  bytes: number
  turns: number
}

async function remove(work: Work, path: Buffer): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return
  if (found.nlink === 1 || found.isDirectory()) work.bytes += found.blocks * 512
  // Other tasks of this process get their turn in a long deletion.
  if (++work.turns % 500 === 0) await setImmediate()
  if (!found.isDirectory()) return unlinked(path)
  if (path.length > longPath) return remove(work, shorter(work.store, path))
  // Again when it filled up meanwhile: a child of a killed process may live on for a moment.
  for (let rest = 5, filled = true; filled && rest > 0; rest--) {
    for (const name of namesIn(path, found.mode)) await remove(work, Buffer.concat([path, slash, name]))
    filled = !emptyNow(path, rest === 1)
  }
}

function emptyNow(path: Buffer, isLast: boolean): boolean {
  try {
    rmdirSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOTEMPTY' && !isLast) return false
    if (codeOf(error) !== 'ENOENT') throw error
  }
  return true
}

/** PATH_MAX is 4096, and one name more has to fit. */
const longPath = 3000
const slash = Buffer.from('/')

function shorter(store: Store, path: Buffer): Buffer {
  const moved = Buffer.from(temporaryPath(store))
  renameSync(path, moved)
  return moved
}

/** Without capabilities a folder must be readable and writable to be emptied; root does not need it. */
function namesIn(folder: Buffer, mode: number): Buffer[] {
  try {
    if ((mode & 0o700) !== 0o700) chmodSync(folder, 0o700)
    return readdirSync(folder, { encoding: 'buffer' })
  } catch (error) {
    // Another process deletes the same.
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function unlinked(path: Buffer): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
