import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { type Digest, digestOf, hexOf, isDigest, parseDigest } from '../image/digest.js'
import type { Store } from './store.js'
import { replaceFile, temporaryPath } from './temporary.js'

/** Where a blob is or would be. Source: OCI image-spec, image-layout.md, "Blobs". Throws `INVALID`. */
export function blobPath(store: Store, digest: Digest): string {
  return join(store.root, 'blobs/sha256', hexOf(parseDigest(digest)))
}

/** True when the blob is there as a regular file, and has the size in bytes when one is given. */
export function hasBlob(store: Store, digest: Digest, size?: number): boolean {
  const found = lstatSync(blobPath(store, digest), { throwIfNoEntry: false })
  return found?.isFile() === true && (size === undefined || found.size === size)
}

/** Bytes of a blob in the store; undefined when it is not there. */
export function blobSize(store: Store, digest: Digest): number | undefined {
  const found = lstatSync(blobPath(store, digest), { throwIfNoEntry: false })
  return found?.isFile() ? found.size : undefined
}

/**
 * A small blob whole, checked against its digest. `limit` is the most bytes it may have.
 * Throws `NOT_FOUND`, `INVALID` (too large, not a file), `DIGEST` (altered on disk), each naming the file.
 */
export async function readBlob(store: Store, digest: Digest, limit = documentLimit): Promise<Buffer> {
  const path = blobPath(store, digest)
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) throw missing(path)
  if (!found.isFile()) throw unfit(path, 'it is not a regular file')
  if (found.size > limit) throw unfit(path, `it has ${found.size} bytes, more than ${limit}`)
  const bytes = readAll(path)
  const got = digestOf(bytes)
  if (got === digest) return bytes
  throw new BuilderError('DIGEST', {
    operation: 'read blob',
    object: path,
    reason: `the file was altered: its digest is ${got}`,
    hint: 'pull or build the image again',
  })
}

/** The bytes of a blob as a stream, not checked. Throws `NOT_FOUND` or `SYSTEM` when read. */
export async function* streamBlob(store: Store, digest: Digest, signal?: AbortSignal): AsyncIterable<Uint8Array> {
  const path = blobPath(store, digest)
  if (!hasBlob(store, digest)) throw missing(path)
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 20, ...(signal ? { signal } : {}) })
  } catch (error) {
    throw asBuilderError(error, 'read blob', path)
  }
}

/** Writes a small blob and gives its digest. Throws `SYSTEM`. */
export async function putBlob(store: Store, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes)
  const path = blobPath(store, digest)
  // Compared, so that storing an image again repairs what was altered.
  if (!hasBlob(store, digest, bytes.length) || !readAll(path).equals(bytes))
    replaceFile(store, path, bytes, { flush: true })
  return digest
}

/** What a stream must turn out to be. */
export interface Expected {
  readonly digest: Digest
  /** Bytes; when absent only the digest decides. */
  readonly size?: number
  readonly signal?: AbortSignal
}

/**
 * Writes a stream into the store as a blob. Hash and size are checked while it is written, and nothing is visible
 * before they are right; a stream that is too long is cut off at the first byte too many. Gives the size in bytes.
 * Throws `DIGEST`, `SYSTEM` (full disk), `ABORTED`, and what the stream throws; then nothing is left.
 */
export async function ingestBlob(
  store: Store,
  stream: AsyncIterable<Uint8Array>,
  expected: Expected,
): Promise<{ digest: Digest; size: number }> {
  await using blob = await passBlob(store, stream, expected)
  let size = 0
  for await (const chunk of blob.stream) size += chunk.length
  await blob.publish()
  return { digest: expected.digest, size }
}

/** A blob that is written into the store while somebody else reads it. Disposing of it without `publish` deletes it. */
export interface PassingBlob extends AsyncDisposable {
  /** The bytes as they are written. It ends only when size and digest are right. Throws as {@link ingestBlob}. */
  readonly stream: AsyncIterable<Uint8Array>
  /** Makes the blob visible. Throws `INVALID` unless the stream was read to its end. */
  publish(): Promise<void>
}

/**
 * Writes a stream into the store and lets it through: one pass for what is kept and also unpacked. The next chunk is
 * asked for when this one is written and the reader wants more, so memory holds one.
 */
export async function passBlob(
  store: Store,
  stream: AsyncIterable<Uint8Array>,
  expected: Expected,
): Promise<PassingBlob> {
  const unfinished = temporaryPath(store)
  const fail = (error: unknown) => asBuilderError(error, 'store blob', expected.digest)
  const file = await open(unfinished, 'wx', 0o644).catch((error) => {
    throw fail(error)
  })
  let isWhole = false
  async function* passing() {
    try {
      yield* writeChecked(file, stream, expected)
      isWhole = true
    } catch (error) {
      throw fail(error)
    }
  }
  return {
    stream: passing(),
    async publish() {
      if (!isWhole) throw unfit(blobPath(store, expected.digest), 'its stream was not read to its end')
      try {
        await file.datasync()
        renameSync(unfinished, blobPath(store, expected.digest))
      } catch (error) {
        throw fail(error)
      }
    },
    async [Symbol.asyncDispose]() {
      await file.close()
      rmSync(unfinished, { force: true })
    },
  }
}

/** Deletes a blob, and gives its size in bytes; 0 when it was not there. Throws `SYSTEM`. */
export async function removeBlob(store: Store, digest: Digest): Promise<number> {
  const path = blobPath(store, digest)
  const size = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0
  try {
    // In this thread: another one could still be at it when this process already counts as dead.
    rmSync(path, { force: true })
  } catch (error) {
    throw asBuilderError(error, 'remove blob', path)
  }
  return size
}

/** Digests of all blobs, sorted. Files with other names are left out. */
export async function listBlobs(store: Store): Promise<Digest[]> {
  const names = await readdir(join(store.root, 'blobs/sha256'))
  return names
    .map((name) => `sha256:${name}`)
    .filter(isDigest)
    .sort()
}

/** Most bytes of a manifest, an index or a config that are read into memory. */
const documentLimit = 16 * 1024 * 1024

async function* writeChecked(file: FileHandle, stream: AsyncIterable<Uint8Array>, expected: Expected) {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of stream) {
    expected.signal?.throwIfAborted()
    size += chunk.length
    if (expected.size !== undefined && size > expected.size)
      throw mismatch(expected, `more than ${expected.size} bytes came`)
    const written = writeAll(file, chunk)
    // Hashed while the kernel writes.
    hash.update(chunk)
    await written
    yield chunk
  }
  expected.signal?.throwIfAborted()
  if (expected.size !== undefined && size !== expected.size)
    throw mismatch(expected, `${size} bytes came instead of ${expected.size}`)
  const got = `sha256:${hash.digest('hex')}`
  if (got !== expected.digest) throw mismatch(expected, `${size} bytes with the digest ${got} came`)
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done)
    done += bytesWritten
  }
}

function readAll(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw asBuilderError(error, 'read blob', path)
  }
}

function mismatch({ digest }: Expected, reason: string): BuilderError {
  const hint = 'fetch it again; when that does not help, what it comes from is damaged or was altered'
  return new BuilderError('DIGEST', { operation: 'store blob', object: digest, reason, hint })
}

function missing(path: string): BuilderError {
  const reason = 'the blob is not in the store'
  return new BuilderError('NOT_FOUND', { operation: 'read blob', object: path, reason, hint: 'pull the image again' })
}

function unfit(path: string, reason: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read blob', object: path, reason })
}
