import { createHash } from 'node:crypto'
import { statfsSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { applyLayer } from '../layer/apply.js'
import { decompress } from '../layer/compress.js'
import { passBlob } from '../store/blobs.js'
import { beginLayer, readLayer } from '../store/layers.js'
import type { Store } from '../store/store.js'
import { isWorthThread, unpackInThread } from './unpack-threads.js'

/** A layer's blob on its way into the store, and the diffID that the image's configuration gives it. */
export interface Arrival {
  readonly blob: Descriptor
  readonly diffID: Digest
  readonly stream: AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
}

/**
 * Keeps a blob and makes a layer of it in one pass, a large one in a thread of its own. Blob and layer show only when size,
 * digest and diffID are what they should be. The tar may
 * have nine tenths of the bytes that are free on the store's disk: a decompression bomb ends there.
 * Throws `DIGEST`, `INVALID`, `UNSAFE`, `ID_MAP`, `ABORTED`, `SYSTEM`.
 */
export function unpackLayer(store: Store, arrival: Arrival): Promise<void> {
  return isWorthThread(arrival.blob.size) ? unpackInThread(store, arrival) : unpackHere(store, arrival)
}

/** The same in this thread: every chunk is hashed, written, decompressed and unpacked before the next one is asked for. */
export async function unpackHere(store: Store, { blob, diffID, stream, signal }: Arrival): Promise<void> {
  const stop = signal ? { signal } : {}
  await using passing = await passBlob(store, stream, { ...blob, ...stop })
  await using layer = await beginLayer(store)
  const limit = Math.floor(freeBytes(store) * usableShare)
  const applied = await untar(passing.stream, blob, (compressed) =>
    applyLayer(
      bounded(decompress(compressed), () => overLimit(blob, limit), limit),
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
    while (isBadData && !(await iterator.next()).done);
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

function freeBytes(store: Store): number {
  const { bavail, bsize } = statfsSync(store.root)
  return bavail * bsize
}

/** Of the free bytes; the rest is for directories and for others. */
const usableShare = 0.9

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

/** `SYSTEM`, so that the rest of a bomb is not waited for. */
function overLimit({ digest, size }: Descriptor, limit: number): BuilderError {
  const reason = `its ${size} bytes decompress to more than ${limit}, nine tenths of what the store's disk has free`
  const hint = 'if you trust the image, free some space or choose another store with --root'
  return new BuilderError('SYSTEM', { operation: 'unpack layer', object: digest, reason, hint })
}
