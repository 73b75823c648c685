import { createHash } from 'node:crypto'
import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { applyLayer } from '../layer/apply.js'
import { decompress } from '../layer/compress.js'
import { passBlob } from '../store/blobs.js'
import { beginLayer, readLayer } from '../store/layers.js'
import type { Store } from '../store/store.js'
import type { Arrival, Bounded } from './arrival.js'
import { layerLimit, TooMuch } from './layer-limit.js'
import { isWorthThread, unpackInThread } from './unpack-threads.js'

/**
 * Keeps a blob and makes a layer of it in one pass, a large one in a thread of its own. Blob and layer show only when size,
 * digest and diffID are what they should be. A decompression bomb ends where {@link layerLimit} says.
 * Throws `DIGEST`, `INVALID`, `UNSAFE`, `ID_MAP`, `ABORTED`, `SYSTEM`.
 */
export async function unpackLayer(store: Store, arrival: Arrival): Promise<void> {
  const limit = layerLimit(store, arrival.blob)
  const unpack = isWorthThread(arrival.blob.size) ? unpackInThread : unpackHere
  await unpack(store, { ...arrival, limit })
}

/** The same in this thread: every chunk is hashed, written, decompressed and unpacked before the next one is asked for. */
export async function unpackHere(store: Store, { blob, diffID, stream, limit, signal }: Bounded): Promise<void> {
  const stop = signal ? { signal } : {}
  await using passing = await passBlob(store, stream, { ...blob, ...stop })
  await using layer = await beginLayer(store)
  const applied = await untar(passing.stream, blob, (compressed) =>
    applyLayer(
      bounded(decompress(compressed), () => new TooMuch(blob, limit), limit.bytes),
      layer.diff,
      stop,
    ),
  )
  if (applied.diffID !== diffID) throw mismatch(blob, diffID, applied.diffID)
  await passing.publish()
  const { size, entries, root } = applied
  await layer.finish({ diffID, size, entries, ...(root ? { root } : {}), created: new Date().toISOString() })
}

/** Keeps a blob whose layer the store has already, once it is known to be of that layer. Throws `DIGEST`, `INVALID`. */
export async function keepBlob(store: Store, { blob, diffID, stream, signal }: Arrival): Promise<void> {
  await using passing = await passBlob(store, stream, { ...blob, ...(signal ? { signal } : {}) })
  const { size } = await readLayer(store, diffID)
  const found = await untar(passing.stream, blob, async (compressed): Promise<Digest> => {
    const hash = createHash('sha256')
    const tar = bounded(decompress(compressed), () => longer(blob, diffID, size), size)
    for await (const chunk of tar) hash.update(chunk)
    return `sha256:${hash.digest('hex')}`
  })
  if (found !== diffID) throw mismatch(blob, diffID, found)
  await passing.publish()
}

/**
 * Reads a blob through a reader that fails where the bytes make no sense. Then the rest is read too: bytes that are not
 * the blob's at all are the better explanation.
 */
async function untar<Result>(
  stream: AsyncIterable<Uint8Array>,
  blob: Descriptor,
  read: (stream: AsyncIterable<Uint8Array>) => Promise<Result>,
): Promise<Result> {
  const iterator = stream[Symbol.asyncIterator]()
  try {
    // Without `return`, so that a reader that fails leaves it open.
    return await read({ [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) })
  } catch (error) {
    const isBadData = error instanceof BuilderError && (error.code === 'INVALID' || error.code === 'UNSAFE')
    while (isBadData && !(error instanceof TooMuch) && !(await iterator.next()).done);
    throw ofBlob(blob, error)
  } finally {
    // Not awaited: a stream that keeps silent would never answer.
    iterator.return?.().catch(() => {})
  }
}

async function* bounded(tar: AsyncIterable<Uint8Array>, failure: () => BuilderError, limit: number) {
  let size = 0
  for await (const chunk of tar) {
    size += chunk.length
    if (size > limit) throw failure()
    yield chunk
  }
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

function longer({ digest }: Descriptor, diffID: Digest, size: number): BuilderError {
  const reason = `its tar has more than the ${size} bytes of ${diffID}, which the image's configuration says it is`
  const hint = 'the image is damaged or was altered: get it again'
  return new BuilderError('DIGEST', { operation: 'unpack layer', object: digest, reason, hint })
}
