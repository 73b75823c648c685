import { createHash } from 'node:crypto'
import { BuilderError } from '../../errors.js'
import type { Digest } from '../../image/digest.js'
import type { RegistryClient } from './client.js'
import { type Answer, discard } from './exchange.js'
import type { Task } from './failure.js'
import { Passing, pause } from './patience.js'
import { openUpload, type UploadSession } from './upload-session.js'

/** What was sent. */
export interface Uploaded {
  readonly digest: Digest
  readonly size: number
}

/**
 * Sends a blob while it is made, and that cannot be made again: in one piece when it is small, otherwise in chunks that
 * wait in memory until the registry has them, the next made while one is on its way. After a cut connection it asks how
 * much arrived and goes on from there. `opened`: the answer that opened the upload, when there was one. What the stream
 * throws ends the upload.
 */
export async function uploadStream(
  client: RegistryClient,
  stream: AsyncIterable<Uint8Array>,
  task: Task,
  opened?: Answer,
): Promise<Uploaded> {
  const work: Upload = { client, task, session: await openUpload(client, task, opened) }
  const hash = createHash('sha256')
  let size = 0
  try {
    for await (const { pieces, isLast } of chunksOf(stream, Math.max(chunkSize, work.session.least))) {
      for (const piece of pieces) hash.update(piece)
      const chunk = { pieces, offset: size, size: pieces.reduce((sum, piece) => sum + piece.length, 0) }
      size += chunk.size
      if (isLast) {
        const digest: Digest = `sha256:${hash.digest('hex')}`
        await sendLast(work, chunk, digest)
        return { digest, size }
      }
      await send(work, chunk)
    }
    throw new Error('a stream of chunks has a last one')
  } catch (error) {
    await work.session.cancel()
    throw error
  }
}

/** Bytes of a chunk. A registry takes some time for each, whatever its size. */
export const chunkSize = 16 * 1024 * 1024

/** An upload, and the session that it has now. */
export interface Upload {
  readonly client: RegistryClient
  readonly task: Task
  session: UploadSession
}

/** Bytes of a blob in memory, and where they belong. */
export interface Chunk {
  readonly pieces: readonly Uint8Array[]
  readonly offset: number
  readonly size: number
}

/** Sends a chunk; what has arrived of it already is not sent again. */
async function send(work: Upload, chunk: Chunk): Promise<void> {
  await persistently(work, chunk, async (rest) => {
    if (rest.size > 0) await work.session.patch(rest.pieces, rest.offset)
  })
}

/** The last chunk goes with the digest when it is the only one; registries that take chunks want it empty otherwise. */
async function sendLast(work: Upload, chunk: Chunk, digest: Digest): Promise<void> {
  const isOnly = chunk.offset === 0
  if (!isOnly) await send(work, chunk)
  await endUpload(work, digest, isOnly ? chunk : { pieces: [], offset: chunk.offset + chunk.size, size: 0 })
}

/** Gives the blob its digest, with its last bytes or after them. */
export async function endUpload(work: Upload, digest: Digest, last: Chunk): Promise<void> {
  let isSecond = false
  await persistently(work, last, async ({ pieces }) => {
    // The answer may have been lost, not the request.
    if (isSecond && (await hasBlob(work.client, digest, work.task))) return
    isSecond = true
    await work.session.put(digest, pieces)
  })
}

async function persistently(work: Upload, chunk: Chunk, attempt: (rest: Chunk) => Promise<void>): Promise<void> {
  const { patience, signal } = work.client
  let rest = chunk
  for (let failures = 1; ; failures++) {
    try {
      return await attempt(rest)
    } catch (error) {
      if (!(error instanceof Passing)) throw error
      if (failures >= patience.attempts) throw error.failure
      await pause(error, failures, patience, signal)
      rest = await whatIsMissing(work, chunk, error)
    }
  }
}

async function whatIsMissing(work: Upload, chunk: Chunk, { failure }: Passing): Promise<Chunk> {
  const received = await work.session.received()
  const end = chunk.offset + chunk.size
  if (received !== undefined && received >= chunk.offset && received <= end)
    return { pieces: from(chunk.pieces, received - chunk.offset), offset: received, size: end - received }
  if (chunk.offset > 0) throw lost(failure)
  // All there was so far is at hand: begin anew.
  await work.session.cancel()
  work.session = await openUpload(work.client, work.task)
  return chunk
}

function lost({ code, operation, object, reason, cause }: BuilderError): BuilderError {
  const hint = 'the registry has forgotten what was sent so far: try again'
  return new BuilderError(code, { operation, object, reason, hint, cause })
}

function from(pieces: readonly Uint8Array[], skip: number): Uint8Array[] {
  let left = skip
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(Math.min(left, piece.length))
    left -= piece.length - rest.length
    return rest.length > 0 ? [rest] : []
  })
}

/** True when the repository has the blob. */
export async function hasBlob(client: RegistryClient, digest: Digest, task: Task): Promise<boolean> {
  const call = { ...task, method: 'HEAD', path: `blobs/${digest}`, actions: 'pull,push', expect: [200, 404] } as const
  const answer = await client.call(call)
  await discard(answer, client.patience.stall)
  return answer.status === 200
}

interface Portion {
  readonly pieces: readonly Uint8Array[]
  readonly isLast: boolean
}

/** Cuts a stream, the next portion read while the one before is in use. There is always a last one, perhaps empty. */
async function* chunksOf(stream: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Portion, void, undefined> {
  const iterator = stream[Symbol.asyncIterator]()
  const next = () => {
    const portion = collectPortion(iterator, size)
    // Its failure is heard when the portion is wanted.
    portion.catch(() => {})
    return portion
  }
  let ahead = next()
  try {
    for (;;) {
      const portion = await ahead
      if (!portion.isLast) ahead = next()
      yield portion
      if (portion.isLast) return
    }
  } finally {
    await ahead.catch(() => {})
    await iterator.return?.()
  }
}

async function collectPortion(iterator: AsyncIterator<Uint8Array>, size: number): Promise<Portion> {
  const pieces: Uint8Array[] = []
  for (let length = 0; length < size; ) {
    const { done, value } = await iterator.next()
    if (done) return { pieces, isLast: true }
    pieces.push(value)
    length += value.length
  }
  return { pieces, isLast: false }
}
