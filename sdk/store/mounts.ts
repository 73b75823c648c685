import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../image/digest.js'
import { namespaceKeeper } from '../namespace/keeper.js'
import { isMountPoint } from '../namespace/mountinfo.js'
import { foldOverlay, mountOverlay, settleOverlay, unmountOverlay } from '../namespace/overlay.js'
import { bootID, isAlive, startTimeOf } from '../namespace/process.js'
import { applyThroughMount, applyToUpper } from './apply-change.js'
import { type ContainerRecord, containerDir, requireContainer, updateContainer } from './containers.js'
import { layerDiff } from './layers.js'
import { withLock } from './locks.js'
import { busy, mountedElsewhere, runsInBackground } from './mount-errors.js'
import { removeTree } from './remove-tree.js'
import type { Store } from './store.js'
import { upperDiff } from './upper.js'

/** A container's root file system, mounted for as long as it is held. */
export interface MountedRoot extends AsyncDisposable {
  /** The absolute path of the root in this mount namespace. */
  readonly path: string
}

/**
 * Mounts a container's root for one piece of work, or shares the mount that is there; the last to let go unmounts.
 * Waits for a verb that works on it in another namespace; throws `IN_USE` when it is mounted there to stay, or `inBackground`.
 *
 * @param inBackground - The work has no end that others could wait for.
 */
export async function useRoot(
  store: Store,
  id: string,
  signal?: AbortSignal,
  inBackground = false,
): Promise<MountedRoot> {
  const use = join(usesDir(store, id), inBackground ? `${ownUse()}-background` : ownUse())
  await mountHere(store, id, signal, () => writeFile(use, ''))
  return { path: mergedOf(store, id), [Symbol.asyncDispose]: () => release(store, id, use) }
}

/** Mounts a container's root until {@link unmountForUser}. Gives its path in this mount namespace. */
export async function mountForUser(store: Store, id: string, signal?: AbortSignal): Promise<string> {
  const path = mergedOf(store, id)
  const mounted = { mountNamespace: mountNamespace(), path, keeper: namespaceKeeper() }
  await mountHere(
    store,
    id,
    signal,
    async () => void (await updateContainer(store, id, (now) => ({ ...now, mounted }))),
  )
  return path
}

/** Ends what {@link mountForUser} began; false when it was not mounted. Throws `IN_USE` while something works in it. */
export async function unmountForUser(store: Store, id: string): Promise<boolean> {
  return lockMounts(store, id, undefined, async () => {
    const record = requireContainer(store, id)
    if (!isMounted(record)) return false
    if (record.mounted?.mountNamespace !== mountNamespace()) throw mountedElsewhere(record)
    if (uses(store, id).length === 0) await unmountOverlay(containerDir(store, id)).catch(busy(record))
    await updateContainer(store, id, forgetMount)
    return true
  })
}

/** True when a mount made for the user exists in a namespace that is still alive. */
export function isMounted(record: ContainerRecord): boolean {
  return record.mounted !== undefined && namespaceAlive(record.mounted) && isStillMounted(record.mounted)
}

/** How many pieces of work hold the container's root right now, in any namespace. */
export function usesOf(store: Store, id: string): number {
  return uses(store, id).length
}

/**
 * Takes the mount away so that the upper directory can be given up, and gives back what mounts it again for the user.
 * Undefined when something still uses it: then its content can only be copied. Call it within {@link lockMounts}.
 */
export async function freeUpper(store: Store, record: ContainerRecord): Promise<(() => Promise<void>) | undefined> {
  const dir = containerDir(store, record.id)
  const inUse = uses(store, record.id).length > 0
  if (!inUse && !isMounted(record)) {
    // What a killed verb left mounted would write into the layer that the upper directory becomes.
    if (isMountPoint(mergedOf(store, record.id)) && !(await unmounted(dir))) return undefined
    await settleOverlay(dir)
    return async () => {}
  }
  const isHere = record.mounted?.mountNamespace === mountNamespace()
  if (!inUse && isHere && (await unmounted(dir))) return () => mountRoot(store, requireContainer(store, record.id))
  await foldOverlay(dir)
  return undefined
}

/** Takes away what a killed verb left mounted, before a container is removed. Throws `IN_USE` when a process stands in it. */
export async function abandonMount(
  store: Store,
  record: Pick<ContainerRecord, 'id' | 'name'>,
  signal?: AbortSignal,
): Promise<void> {
  await lockMounts(store, record.id, signal, async () => {
    if (uses(store, record.id).length > 0 || !isMountPoint(mergedOf(store, record.id))) return
    await unmountOverlay(containerDir(store, record.id)).catch(busy(record))
  })
}

/** False when a process stands in it or has files open. */
function unmounted(dir: string): Promise<boolean> {
  return unmountOverlay(dir).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EBUSY') throw error
      return false
    },
  )
}

/**
 * Where what a killed run left in a container can be tidied up: its root where it is mounted here, else its upper
 * directory, complete.
 */
export function tidyRoot(store: Store, id: string, signal?: AbortSignal): Promise<string> {
  return lockMounts(store, id, signal, async () => {
    if (isMountPoint(mergedOf(store, id))) return mergedOf(store, id)
    if (uses(store, id).length === 0 && !isMounted(requireContainer(store, id)))
      await settleOverlay(containerDir(store, id))
    return upperDiff(containerDir(store, id))
  })
}

/**
 * Serialises all that mounts, unmounts or gives up a container's upper directory. First it finishes a change that a killed
 * process had decided on.
 */
export function lockMounts<T>(
  store: Store,
  id: string,
  signal: AbortSignal | undefined,
  task: () => Promise<T>,
  purpose = 'mount',
): Promise<T> {
  const finished = async () => {
    await finishChange(store, id)
    return task()
  }
  return withLock(store, `mount-${id}`, finished, { purpose, ...(signal ? { signal } : {}) })
}

/**
 * Makes what lies in a container's folder `change` a part of it: through its mount where it is mounted here, else in its upper
 * directory. May be done twice. Left alone while the container is mounted in another namespace. Call it within {@link lockMounts}.
 */
export async function finishChange(store: Store, id: string): Promise<void> {
  const dir = containerDir(store, id)
  const change = changeOf(store, id)
  if (!existsSync(change)) return
  if (isMountPoint(mergedOf(store, id))) await applyThroughMount(change, mergedOf(store, id))
  else {
    const record = requireContainer(store, id)
    if (isMounted(record) || uses(store, id).length > 0) return
    await settleOverlay(dir)
    await applyToUpper(change, upperDiff(dir), lowersOf(store, record.layers))
  }
  await removeTree(store, change)
}

/** Where a change waits that is decided on and not yet made: the upper directory of an overlay on the container's root. */
export function changeOf(store: Store, id: string): string {
  return join(containerDir(store, id), 'change')
}

/**
 * Layer directories for a mount, top first. A layer that is in an image twice is named once, at its upper place, which
 * hides the lower one; the kernel refuses to see it twice.
 */
export function lowersOf(store: Store, layers: readonly Digest[]): string[] {
  return [...new Set([...layers].reverse())].map((diffID) => layerDiff(store, diffID))
}

/**
 * Does work under {@link lockMounts} when no verb in another namespace has the container's root: an upper directory may be
 * mounted once only. Such a verb is waited for, outside the lock it needs. Throws `IN_USE` when it is mounted there to stay, or
 * for a command in the background.
 */
export async function whenReachable<T>(
  store: Store,
  id: string,
  signal: AbortSignal | undefined,
  task: (record: ContainerRecord) => Promise<T>,
  purpose?: string,
): Promise<T> {
  const attempt = async () => {
    const record = requireContainer(store, id)
    return isReachable(store, record) ? { value: await task(record) } : undefined
  }
  for (let delay = 1; ; delay = Math.min(delay * 2, 50)) {
    signal?.throwIfAborted()
    const done = await lockMounts(store, id, signal, attempt, purpose)
    if (done) return done.value
    await new Promise((resolve) => setTimeout(resolve, delay))
  }
}

function isReachable(store: Store, record: ContainerRecord): boolean {
  if (isMountPoint(mergedOf(store, record.id))) return true
  if (isMounted(record)) throw mountedElsewhere(record)
  const elsewhere = uses(store, record.id).filter((use) => use.mountNamespace !== mountNamespace())
  if (elsewhere.some(({ inBackground }) => inBackground)) throw runsInBackground(record)
  return elsewhere.length === 0
}

function mountHere(store: Store, id: string, signal: AbortSignal | undefined, then: () => Promise<void>) {
  return whenReachable(store, id, signal, async (record) => {
    if (!isMountPoint(mergedOf(store, id))) await mountRoot(store, record)
    await mkdir(usesDir(store, id), { recursive: true })
    await then()
  })
}

function mountRoot(store: Store, { id, layers }: ContainerRecord): Promise<void> {
  return mountOverlay({ dir: containerDir(store, id), lowers: lowersOf(store, layers), driver: store.driver })
}

async function release(store: Store, id: string, use: string): Promise<void> {
  await lockMounts(store, id, undefined, async () => {
    await rm(use, { force: true })
    if (!existsSync(containerDir(store, id)) || !isMountPoint(mergedOf(store, id))) return
    if (uses(store, id).length > 0 || isMounted(requireContainer(store, id))) return
    await unmountOverlay(containerDir(store, id))
  })
}

interface Use {
  readonly mountNamespace: string
  readonly inBackground: boolean
}

/** What holds the root, from files named `<pid>-<start time>-<boot>-<mount namespace>-<number>[-background]`; those of the dead do not count. */
function uses(store: Store, id: string): Use[] {
  if (!existsSync(usesDir(store, id))) return []
  return readdirSync(usesDir(store, id)).flatMap((name) => {
    const [pid = '0', startTime = '', boot, mountNamespace = '', , kind] = name.split('-')
    const alive = boot === bootID().slice(0, 8) && isAlive({ pid: Number(pid), startTime, bootID: bootID() })
    return alive ? [{ mountNamespace, inBackground: kind === 'background' }] : []
  })
}

function ownUse(): string {
  return [process.pid, startTimeOf(process.pid), bootID().slice(0, 8), mountNamespace(), ++serial].join('-')
}

let serial = 0

function forgetMount({ mounted: _, ...rest }: ContainerRecord): ContainerRecord {
  return rest
}

/** Where a container's root is mounted. */
export function mergedOf(store: Store, id: string): string {
  return join(containerDir(store, id), 'merged')
}

function usesDir(store: Store, id: string): string {
  return join(containerDir(store, id), 'uses')
}

function mountNamespace(): string {
  return `${statSync('/proc/self/ns/mnt').ino}`
}

/** In this namespace the mount table tells; into another one only its being alive can be seen. */
function isStillMounted(mounted: NonNullable<ContainerRecord['mounted']>): boolean {
  return mounted.mountNamespace !== mountNamespace() || isMountPoint(mounted.path)
}

/** Whether the namespace is still there; another one of the same user may not be looked into, so its keeper tells. */
function namespaceAlive({ mountNamespace: inode, keeper }: NonNullable<ContainerRecord['mounted']>): boolean {
  return inode === mountNamespace() || (keeper !== undefined && isAlive(keeper))
}
