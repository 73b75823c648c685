import { type Descriptor, isIndexType } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { type Collected, collect } from './collect.js'
import { listContainers } from './container-files.js'
import { editEntries, nameOf, readEntries } from './index-file.js'
import { withLock } from './locks.js'
import { type CacheLimits, pruneCache } from './prune-steps.js'
import { membersOf, readList } from './read-list.js'
import { emptyTmp } from './remove-tree.js'
import type { Store } from './store.js'

export { emptyTmp } from './remove-tree.js'

/** What `prune` deletes beside what nothing needs. */
export interface PruneOptions {
  /** Every image that no container uses, not only those without a name. */
  readonly all?: boolean
  /** `false`: keep all images. */
  readonly images?: boolean
  /** What of the build cache goes too; without it, what is of no use any more. */
  readonly cache?: CacheLimits
}

/** What was deleted. */
export interface Pruned extends Collected {
  readonly images: number
  /** Unfinished things of processes that are gone. */
  readonly temporary: number
  /** Steps of the build cache. */
  readonly steps: number
}

/**
 * Deletes what nothing needs: unfinished things of dead processes, images without a name that no container uses (with
 * `all`, named ones too), and then the blobs and layers that no image and no container refers to. Takes the lock
 * `store` alone, so the caller must not hold it; run it inside the namespace. Throws `INVALID` or `DIGEST` when an
 * image or container that stays is damaged, for what it needs cannot be known; `SYSTEM`.
 */
export async function prune(store: Store, options: PruneOptions = {}): Promise<Pruned> {
  const clear = async () => {
    // First what needs no disk space to be deleted: the disk may be full.
    const temporary = await emptyTmp(store)
    const images = options.images === false ? 0 : await dropImages(store, options.all ?? false)
    const cache = await pruneCache(store, options.cache)
    const collected = await collect(store)
    const bytes = collected.bytes + temporary.bytes + cache.bytes
    return { ...collected, images, temporary: temporary.count, steps: cache.steps, bytes }
  }
  return withLock(store, 'store', clear, { purpose: 'prune' })
}

async function dropImages(store: Store, all: boolean): Promise<number> {
  const used = new Set((await listContainers(store)).map(({ from }) => from?.manifestDigest))
  const digests = new Set<Digest>()
  for (const entry of readEntries(store))
    if ((all || nameOf(entry) === undefined) && !(await isUsed(store, entry, used))) digests.add(entry.digest)
  if (digests.size === 0) return 0
  const isUnwanted = (entry: Descriptor) => digests.has(entry.digest) && (all || nameOf(entry) === undefined)
  await editEntries(store, 'prune', (entries) => entries.filter((entry) => !isUnwanted(entry)))
  return digests.size
}

/** A list is in use when one of its images is. A damaged one cannot be. */
async function isUsed(store: Store, entry: Descriptor, used: ReadonlySet<string | undefined>): Promise<boolean> {
  if (!isIndexType(entry.mediaType)) return used.has(entry.digest)
  const members = await readList(store, entry.digest, []).then(
    ({ index }) => membersOf(store, index),
    () => [],
  )
  return members.some(({ digest }) => used.has(digest))
}
