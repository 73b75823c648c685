import { createHash } from 'node:crypto'
import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { applyLayer } from '../layer/apply.js'
import { decompress } from '../layer/compress.js'
import { streamBlob } from '../store/blobs.js'
import { beginLayer } from '../store/layers.js'
import type { Store } from '../store/store.js'

/**
 * Makes a layer of a blob that lies in the store, checked. The layer shows only when its tar has the diffID that the
 * image's configuration claims. Throws `DIGEST`, `INVALID`, `UNSAFE`, `ID_MAP`, `ABORTED`.
 */
export async function unpackLayer(store: Store, blob: Descriptor, diffID: Digest, signal?: AbortSignal): Promise<void> {
  await using layer = await beginLayer(store)
  const tar = decompress(streamBlob(store, blob.digest, signal))
  const applied = await applyLayer(tar, layer.diff, signal ? { signal } : {}).catch((error) => {
    throw ofBlob(blob, error)
  })
  if (applied.diffID !== diffID) throw mismatch(blob, diffID, applied.diffID)
  const { size, entries, root } = applied
  await layer.finish({ diffID, size, entries, ...(root ? { root } : {}), created: new Date().toISOString() })
}

/** Checks that a blob is the layer which the store has already. Throws `DIGEST`. */
export async function checkLayer(store: Store, blob: Descriptor, diffID: Digest, signal?: AbortSignal): Promise<void> {
  const hash = createHash('sha256')
  for await (const chunk of decompress(streamBlob(store, blob.digest, signal))) hash.update(chunk)
  const found = `sha256:${hash.digest('hex')}` as const
  if (found !== diffID) throw mismatch(blob, diffID, found)
}

/** What decompresses knows bytes only, not whose. */
function ofBlob({ digest }: Descriptor, error: unknown): unknown {
  if (!(error instanceof BuilderError) || error.operation !== 'decompress') return error
  const { code, object, reason, hint } = error
  const parts = { operation: 'unpack layer', object: digest, reason: `${object}: ${reason}`, cause: error }
  return new BuilderError(code, { ...parts, ...(hint === undefined ? {} : { hint }) })
}

function mismatch({ digest }: Descriptor, diffID: Digest, found: Digest): BuilderError {
  const reason = `its tar has the digest ${found}, the image's configuration says ${diffID}`
  const hint = 'the image is damaged or was altered: get it again'
  return new BuilderError('DIGEST', { operation: 'unpack layer', object: digest, reason, hint })
}
