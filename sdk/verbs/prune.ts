import { BuilderError } from '../errors.js'
import { formatCount, formatSize } from '../image/table.js'
import { parseBytes } from '../runtime/mount-fields.js'
import { prune as collect } from '../store/garbage.js'
import type { CacheLimits } from '../store/prune-steps.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { reapContainers, reapRuns } from './run/reap.js'

/** Options of {@link prune}. */
export interface PruneOptions extends GlobalOptions {
  /**
   * Remove every image that no container uses, not only those without a name.
   * @short a
   */
  all?: boolean
  /** Empty the build cache as well: kept steps with their layers, folders of cache mounts, packages of dnf and apt. */
  buildCache?: boolean
  /**
   * Leave what was used since: until=24h, or until=2026-01-31T12:00:00Z. For the build cache.
   * @placeholder until=TIME
   */
  filter?: readonly string[]
  /**
   * Leave layers of the build cache up to this size, those that were used last; as 10g.
   * @placeholder SIZE
   */
  keepStorage?: string
}

/** What was removed. */
export interface PruneResult {
  /** Number of images. */
  readonly images: number
  /** Number of layers. */
  readonly layers: number
  /** Number of blobs. */
  readonly blobs: number
  /** Number of steps of the build cache. */
  readonly steps: number
  /** Bytes on disk. */
  readonly bytes: number
}

/**
 * Removes what nothing needs: images without a name, layers and blobs of no image, what killed processes left behind.
 *
 * The build cache stays, with its layers, until --build-cache, --filter or --keep-storage says what of it goes.
 *
 * Throws `USAGE` for a time or a size of the wrong form, `INVALID` when an image or a container is damaged.
 *
 * @verb
 * @where inside
 * @offline
 * @stdout What was freed.
 * @example
 * ```sh
 * builder prune
 * builder prune --build-cache --filter until=168h
 * ```
 * @example
 * ```ts
 * import { prune } from 'builder-sdk'
 * const { bytes } = await prune()
 * ```
 */
export async function prune(options: PruneOptions = {}): Promise<PruneResult> {
  const cache = limitsOf(options)
  const store = await openStore(options)
  await reapRuns(store)
  await reapContainers(store)
  return collect(store, { all: options.all ?? false, ...(cache ? { cache } : {}) })
}

/** What the shell door prints. */
export function present({ images, layers, blobs, steps, bytes }: PruneResult): string {
  const kept = [formatCount(images, 'image'), formatCount(layers, 'layer'), formatCount(blobs, 'blob')]
  const counts = steps > 0 ? [...kept, formatCount(steps, 'step')] : kept
  return `freed ${formatSize(bytes)}: ${counts.join(', ')}`
}

function limitsOf({ buildCache, filter = [], keepStorage }: PruneOptions): CacheLimits | undefined {
  const before = filter.map(timeOf).reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY)
  const keepBytes = keepStorage === undefined ? undefined : sizeOf(keepStorage)
  if (!buildCache && filter.length === 0 && keepBytes === undefined) return undefined
  return { ...(filter.length === 0 ? {} : { before }), ...(keepBytes === undefined ? {} : { keepBytes }) }
}

/** `until=` and a duration back from now, or a time. */
function timeOf(text: string): number {
  const [, value = ''] = /^until=(.+)$/.exec(text) ?? []
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  if (value !== '' && parts.map(([all]) => all).join('') === value)
    return Date.now() - parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit as string] ?? 0), 0)
  const time = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value)
  if (Number.isFinite(time)) return time
  throw new BuilderError('USAGE', {
    operation: 'prune --filter',
    object: JSON.stringify(text),
    reason: 'it is not until= with a duration or a time',
    hint: 'write for example until=24h',
  })
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function sizeOf(text: string): number {
  const bytes = parseBytes(text)
  if (bytes !== undefined) return bytes
  const hint = 'write for example 10g'
  throw new BuilderError('USAGE', { operation: 'prune --keep-storage', object: text, reason: 'it is not a size', hint })
}
