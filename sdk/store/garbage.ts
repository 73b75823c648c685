import type { Descriptor } from '../image/descriptor.js'
import { type Collected, collect } from './collect.js'
import { listContainers } from './container-files.js'
import { editEntries, nameOf } from './index-file.js'
import { withLock } from './locks.js'
import { imageEntries } from './read-image.js'
import { emptyTmp } from './remove-tree.js'
import type { Store } from './store.js'

export { emptyTmp } from './remove-tree.js'

/** What `prune` deletes beside what nothing needs. */
export interface PruneOptions {
  /** Every image that no container uses, not only those without a name. */
  readonly all?: boolean
  /** `false`: keep all images. */
  readonly images?: boolean
}

/** What was deleted. */
export interface Pruned extends Collected {
  readonly images: number
  /** Unfinished things of processes that are gone. */
  readonly temporary: number
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
    const collected = await collect(store)
    return { ...collected, images, temporary: temporary.count, bytes: collected.bytes + temporary.bytes }
  }
  return withLock(store, 'store', clear, { purpose: 'prune' })
}

async function dropImages(store: Store, all: boolean): Promise<number> {
  const used = new Set((await listContainers(store)).map(({ from }) => from?.manifestDigest))
  const isUnwanted = (entry: Descriptor) => (all || nameOf(entry) === undefined) && !used.has(entry.digest)
  const unwanted = imageEntries(store).filter(isUnwanted)
  if (unwanted.length === 0) return 0
  const digests = new Set(unwanted.map(({ digest }) => digest))
  await editEntries(store, 'prune', (entries) =>
    entries.filter((entry) => !(digests.has(entry.digest) && isUnwanted(entry))),
  )
  return digests.size
}
