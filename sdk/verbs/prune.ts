import { formatCount, formatSize } from '../image/table.js'
import { prune as collect } from '../store/garbage.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { reapContainers, reapRuns } from './reap.js'

/** Options of {@link prune}. */
export interface PruneOptions extends GlobalOptions {
  /**
   * Remove every image that no container uses, not only those without a name.
   * @short a
   */
  all?: boolean
}

/** What was removed. */
export interface PruneResult {
  /** Number of images. */
  readonly images: number
  /** Number of layers. */
  readonly layers: number
  /** Number of blobs. */
  readonly blobs: number
  /** Bytes on disk. */
  readonly bytes: number
}

/**
 * Removes what nothing needs: images without a name, layers and blobs of no image, what killed processes left behind.
 *
 * @verb
 * @where inside
 * @offline
 * @stdout What was freed.
 * @example
 * ```sh
 * builder prune
 * ```
 * @example
 * ```ts
 * import { prune } from 'builder-sdk'
 * const { bytes } = await prune()
 * ```
 */
export async function prune(options: PruneOptions = {}): Promise<PruneResult> {
  const store = await openStore(options)
  await reapRuns(store)
  await reapContainers(store)
  return collect(store, { all: options.all ?? false })
}

/** What the shell door prints. */
export function present({ images, layers, blobs, bytes }: PruneResult): string {
  const counts = [formatCount(images, 'image'), formatCount(layers, 'layer'), formatCount(blobs, 'blob')]
  return `freed ${formatSize(bytes)}: ${counts.join(', ')}`
}
