import type { Descriptor } from '../../image/descriptor.js'
import { verify } from '../verify.js'
import type { RegistryClient } from './client.js'
import type { Answer } from './exchange.js'
import type { Task } from './failure.js'
import { Passing, pause } from './patience.js'
import { chunkSize, endUpload, type Upload, uploadStream } from './upload.js'
import { openUpload } from './upload-session.js'

/** A blob that can be read more than once. */
export interface KnownBlob {
  readonly descriptor: Descriptor
  /** The first reading, under way already. */
  readonly stream: AsyncIterable<Uint8Array>
  /** Reads it from its start once more. */
  readonly again: () => Promise<AsyncIterable<Uint8Array>>
}

/**
 * Sends a blob of which digest and size are known, checked on its way: a large one in one request as fast as it is read,
 * nothing of it kept. After a cut connection it asks how much arrived, reads the blob again and sends what is missing.
 */
export async function uploadKnown(
  client: RegistryClient,
  { descriptor, stream, again }: KnownBlob,
  task: Task,
  opened?: Answer,
): Promise<void> {
  const checked = (bytes: AsyncIterable<Uint8Array>) => verify(bytes, descriptor, task.object).stream
  if (descriptor.size <= chunkSize) return void (await uploadStream(client, checked(stream), task, opened))
  const work: Upload = { client, task, session: await openUpload(client, task, opened) }
  try {
    await sendAll(work, { descriptor, stream: checked(stream), again: async () => checked(await again()) })
    await endUpload(work, descriptor.digest, { pieces: [], offset: descriptor.size, size: 0 })
  } catch (error) {
    await work.session.cancel()
    throw error
  }
}

async function sendAll(work: Upload, { descriptor: { size }, stream, again }: KnownBlob): Promise<void> {
  const { patience, signal } = work.client
  let [offset, rest] = [0, stream]
  for (let failures = 1; ; failures++) {
    try {
      return await work.session.patch({ stream: rest, size: size - offset }, offset)
    } catch (error) {
      if (!(error instanceof Passing)) throw error
      if (failures >= patience.attempts) throw error.failure
      await pause(error, failures, patience, signal)
      const received = await receivedBy(work)
      if (received >= size) return
      if (received > offset) failures = 0
      offset = received
      rest = skipping(await again(), offset)
    }
  }
}

/** How much the registry has; a forgotten upload begins anew. */
async function receivedBy(work: Upload): Promise<number> {
  const received = await work.session.received()
  if (received !== undefined) return received
  work.session = await openUpload(work.client, work.task)
  return 0
}

async function* skipping(stream: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count
  for await (const piece of stream) {
    const rest = piece.subarray(Math.min(left, piece.length))
    left -= piece.length - rest.length
    if (rest.length > 0) yield rest
  }
}
