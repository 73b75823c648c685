import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, renameSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { getXattr, listXattrs, MNT, setMtime, setXattr, umount } from '../namespace/libc.js'
import { isMountPoint, mountsBelow, mountType } from '../namespace/mountinfo.js'
import { foldOverlay, mountOverlay, settleOverlay, unmountOverlay } from '../namespace/overlay.js'
import { isCopy } from '../namespace/overlay-copy.js'
import { childOf, isMark } from '../namespace/overlay-marks.js'
import { recoverContainer } from './adopt.js'
import { type ContainerRecord, containerDir, requireContainer } from './containers.js'
import { changeOf, finishChange, freeUpper, lowersOf, mergedOf, whenReachable } from './mounts.js'
import { emptied } from './remove-tree.js'
import type { Store } from './store.js'
import { temporaryFolder } from './temporary.js'
import { dropUntouched } from './traces.js'
import { upperDiff } from './upper.js'

/**
 * Changes a container's root as one step, and gives what `change` gives. `change` gets the path of a mounted root that shows
 * the container as it is. What is written there becomes the container's when `change` resolves; when it throws, or the process
 * is killed at any instant, the container is as it was before, or as after.
 *
 * The root is an overlay of its own under `tmp/`. A container without changes takes its upper directory by one rename. Else it
 * becomes the folder `change` of the container by a rename, and is worked into the upper directory; whoever comes next finishes
 * that after a kill. A container that is mounted for its user stays mounted, and shows the new files.
 *
 * Other verbs on the container wait meanwhile; `change` may use none of them. Run it inside the namespace. Throws `IN_USE` when
 * the container is mounted in another session, `NOT_FOUND`, `ABORTED`, `SYSTEM`, and what `change` throws.
 *
 * @param change - Gets the root, and the folder in which what it writes is gathered, where there is one.
 * @param operation - What is done, in the reader's words: `dnf install`.
 */
export async function changeRoot<T>(
  store: Store,
  id: string,
  operation: string,
  change: (root: string, written?: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const task = async () => {
    const record = await recoverContainer(store, id)
    const dir = temporaryFolder(store)
    try {
      const value = await changed(store, record, dir, change)
      signal?.throwIfAborted()
      await take(store, record, upperDiff(dir))
      return value
    } catch (error) {
      throw asBuilderError(error, operation, record.name)
    } finally {
      if (mountsBelow(dir).length === 0) await emptied(store, dir)
    }
  }
  return whenReachable(store, id, signal, task, operation)
}

async function changed<T>(
  store: Store,
  record: ContainerRecord,
  dir: string,
  change: (root: string, written?: string) => Promise<T>,
): Promise<T> {
  const lowers = await layOut(store, record, dir)
  await mountOverlay({ dir, lowers, driver: store.driver })
  try {
    const value = await change(join(dir, 'merged'), isCopy(dir) ? undefined : upperDiff(dir))
    await unmountOverlay(dir)
    return value
  } catch (error) {
    for (const path of mountsBelow(dir).reverse()) umount(path, MNT.DETACH)
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
    const reason = 'something that was started in it still runs'
    throw new BuilderError('IN_USE', { operation: 'unmount', object: record.name, reason, cause: error })
  }
}

/** Makes the folders of the overlay, and gives what it lies on, top first. */
async function layOut(store: Store, record: ContainerRecord, dir: string): Promise<readonly string[]> {
  const folder = containerDir(store, record.id)
  const merged = mergedOf(store, record.id)
  const isHere = isMountPoint(merged)
  if (isHere) await foldOverlay(folder)
  else await settleOverlay(folder)
  const layers = lowersOf(store, record.layers)
  const upper = upperDiff(folder)
  if (!isHere) dropUntouched(upper, layers, record.touched ?? [])
  for (const part of ['upper/diff', 'work', 'merged']) mkdirSync(join(dir, part), { recursive: true })
  // The root of an overlay is its upper directory itself.
  copyRoot(upper, upperDiff(dir))
  // What the program holds in memory is not in the upper directory yet.
  if (isHere && mountType(merged)?.startsWith('fuse')) return [merged]
  return readdirSync(upper).length > 0 ? [upper, ...layers] : layers
}

function copyRoot(from: string, to: string): void {
  const { uid, gid, mode, mtimeNs } = lstatSync(from, { bigint: true })
  chownSync(to, Number(uid), Number(gid))
  chmodSync(to, Number(mode) & 0o7777)
  for (const name of listXattrs(from)) if (!isMark(name)) setXattr(to, name, getXattr(from, name) ?? Buffer.alloc(0))
  setMtime(to, mtimeNs)
}

async function take(store: Store, { id }: ContainerRecord, diff: string): Promise<void> {
  const record = requireContainer(store, id)
  const upper = upperDiff(containerDir(store, id))
  const remount = await freeUpper(store, record)
  try {
    // rename(2) replaces an empty directory.
    if (remount && readdirSync(upper).length === 0) return renameSync(diff, upper)
    if (!remount) checkRoom(diff, record.name)
    renameSync(diff, changeOf(store, id))
    await finishChange(store, id)
  } finally {
    await remount?.()
  }
}

/** Through a mount everything is copied, and half of a change would have to wait for room. */
function checkRoom(diff: string, name: string): void {
  const { bavail, bsize } = statfsSync(diff, { bigint: true })
  const needed = bytesIn(Buffer.from(diff))
  if (bavail * bsize > needed) return
  throw new BuilderError('SYSTEM', {
    operation: 'change container',
    object: name,
    reason: `the disk is full: it is in use, so its new files have to be copied, and that takes ${needed} bytes more`,
    hint: 'free some space (builder prune, builder rmi), or leave the container (cd /) and try again',
  })
}

function bytesIn(folder: Buffer): bigint {
  let bytes = 0n
  for (const name of readdirSync(folder, { encoding: 'buffer' })) {
    const info = lstatSync(childOf(folder, name), { bigint: true })
    bytes += info.blocks * 512n + (info.isDirectory() ? bytesIn(childOf(folder, name)) : 0n)
  }
  return bytes
}
