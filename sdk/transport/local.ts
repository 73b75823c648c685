import { type Digest, hexOf } from '../image/digest.js'
import { manifestSizeLimit } from '../image/manifest.js'
import { hasBlob, readBlob, streamBlob } from '../store/blobs.js'
import { findImage } from '../store/find-image.js'
import { layerBlob } from '../store/layers.js'
import { acquireLock } from '../store/locks.js'
import type { Store } from '../store/store.js'
import type { ImageSource } from './source.js'
import { missing } from './verify.js'

/**
 * An image of the store, by name or ID. Blobs that came with it leave as they came; a layer that was made here has no
 * blob until now: it is packed again, the same bytes (then run inside the namespace). While it is open, nothing is
 * pruned. Throws `NOT_FOUND`.
 */
export async function localSource(store: Store, nameOrId: string): Promise<ImageSource> {
  const lock = await acquireLock(store, 'store', { shared: true, purpose: `copy ${nameOrId}` })
  try {
    const { manifest, manifestDigest, config, names } = await findImage(store, nameOrId, 'read image')
    const read = (digest: Digest) => readBlob(store, digest, manifestSizeLimit)
    const [suggestedName] = names
    return {
      name: suggestedName ?? hexOf(manifest.config.digest).slice(0, 12),
      ...(suggestedName === undefined ? {} : { suggestedName }),
      top: async () => ({ bytes: await read(manifestDigest), mediaType: manifest.mediaType, digest: manifestDigest }),
      manifest: ({ digest }) => read(digest),
      async blob({ digest, size }) {
        if (hasBlob(store, digest, size)) return streamBlob(store, digest)
        const isMadeHere = config.rootfs.diff_ids.includes(digest)
        if (!isMadeHere) throw missing(nameOrId, `its blob ${digest} is not in the store`, 'pull the image again')
        await layerBlob(store, digest)
        return streamBlob(store, digest)
      },
      async [Symbol.asyncDispose]() {
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}
