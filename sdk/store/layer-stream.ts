import type { Digest } from '../image/digest.js'
import { LayerHash } from '../layer/layer-hash.js'
import { layerStream } from '../layer/pack.js'
import { altered, layerDiff, packOptions, readLayer } from './layers.js'
import type { Store } from './store.js'

/**
 * The tar of a layer, made again from the unpacked files while it is read (inside the namespace); no copy of it is
 * written. Throws `NOT_FOUND`, `SYSTEM`, `ABORTED`, and at the end `DIGEST` when the files were altered.
 */
export async function* streamLayer(
  store: Store,
  diffID: Digest,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const options = packOptions(await readLayer(store, diffID))
  using hash = new LayerHash()
  let last: Uint8Array | undefined
  for await (const chunk of layerStream(layerDiff(store, diffID), { ...options, ...(signal ? { signal } : {}) })) {
    if (last) yield last
    await hash.write(chunk)
    last = chunk
  }
  const found = await hash.digest()
  // Before the end, so that this is the error and not that of whoever takes it.
  if (found !== diffID) throw altered(store, diffID, `their digest is ${found}`)
  if (last) yield last
}
