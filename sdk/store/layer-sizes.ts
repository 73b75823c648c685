import type { Digest } from '../image/digest.js'
import { hasLayer, readLayer } from './layers.js'
import type { Image } from './read-image.js'
import type { Store } from './store.js'

/** One layer of an image and its bytes: of its tar where the layer is unpacked here, else of the blob it comes in. */
export interface SizedLayer {
  readonly diffID: Digest
  readonly size: number
}

/** The layers of an image, bottom first. Throws `INVALID` when a layer's record is damaged. */
export async function sizedLayers(store: Store, { config, manifest }: Image): Promise<readonly SizedLayer[]> {
  const layers: SizedLayer[] = []
  for (const [i, diffID] of config.rootfs.diff_ids.entries()) {
    const size = hasLayer(store, diffID) ? (await readLayer(store, diffID)).size : (manifest.layers[i]?.size ?? 0)
    layers.push({ diffID, size })
  }
  return layers
}
