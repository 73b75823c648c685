import type { Digest } from '../image/digest.js'
import { type PackOptions, packLayer } from '../layer/pack.js'
import type { LayerRecord } from './layers.js'
import type { Store } from './store.js'
import { ownRoot } from './upper.js'

/** How a container's changes are packed. */
export interface LayerPacking {
  /** Seconds since 1970: the image's time, and the newest time a file in the new layer may have. */
  readonly epoch?: number
  readonly signal?: AbortSignal
  /** Gets how many bytes of the new layer are packed. */
  readonly onBytes?: (bytes: number) => void
}

/**
 * The record of the layer that a directory is above some others; no entries when it changes nothing. Writes nothing but
 * times that are younger than `epoch`. Throws as `packLayer` does.
 */
export async function packedLayer(
  store: Store,
  below: readonly Digest[],
  diff: string,
  options: LayerPacking,
): Promise<LayerRecord> {
  const { epoch } = options
  const root = await ownRoot(store, diff, below)
  const packed = await packLayer(diff, { ...packing(options), clampInPlace: true, root: root ? 'entry' : 'none' })
  const created = new Date().toISOString()
  return { ...packed, ...(root ? { root } : {}), ...(epoch === undefined ? {} : { clamp: epoch }), created }
}

/** The same options in the words of the layer's packing. */
export function packing({ epoch, signal, onBytes }: LayerPacking): Pick<PackOptions, 'clamp' | 'signal' | 'onBytes'> {
  return {
    ...(epoch === undefined ? {} : { clamp: epoch }),
    ...(signal ? { signal } : {}),
    ...(onBytes ? { onBytes } : {}),
  }
}
