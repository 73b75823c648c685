import { BuilderError } from '../../errors.js'
import type { Descriptor } from '../../image/descriptor.js'
import type { RegistryClient } from './client.js'
import { type Answer, bodyOf } from './exchange.js'
import { connectionFailure } from './failure.js'
import { Passing, pause } from './patience.js'

/**
 * A blob's bytes. When the connection breaks, the download goes on from the byte it has; whoever reads checks the digest.
 * The first request is made at once. Throws `NOT_FOUND`, `DIGEST` for another size, `NETWORK` when it breaks too often.
 */
export async function downloadBlob(
  client: RegistryClient,
  blob: Descriptor,
  name: string,
): Promise<AsyncIterable<Uint8Array>> {
  return resumed(client, blob, await requestFrom(client, blob, 0, name), name)
}

async function* resumed(client: RegistryClient, blob: Descriptor, first: Part, name: string) {
  const { patience, signal } = client
  let part = first
  let done = 0
  let failures = { inARow: 0, all: 0 }
  for (let before = 0; ; before = done) {
    try {
      for await (const chunk of contentOf(client, part, name)) {
        done += chunk.length
        yield chunk
        // Whoever checks the bytes stops at the first that is too many.
      }
      if (done >= blob.size) return
      throw cutShort(name, part.answer.url.host)
    } catch (error) {
      if (!(error instanceof Passing)) throw error
      if (done === blob.size) return
      failures = { inARow: done - before >= progress ? 1 : failures.inARow + 1, all: failures.all + 1 }
      const most = patience.attempts + done / fairPart
      if (failures.inARow >= patience.attempts || failures.all >= most) throw error.failure
      await pause(error, failures.inARow, patience, signal)
    }
    part = await requestFrom(client, blob, done, name)
  }
}

/** A connection that brought so many bytes was worth it, and so many are fair on average. */
const progress = 64 * 1024
const fairPart = 256 * 1024

/** An answer, and how many of its first bytes are there already. */
interface Part {
  readonly answer: Answer
  readonly skip: number
}

async function requestFrom(client: RegistryClient, blob: Descriptor, offset: number, name: string): Promise<Part> {
  const answer = await client.call({
    operation: 'read image',
    object: name,
    method: 'GET',
    path: `blobs/${blob.digest}`,
    actions: 'pull',
    expect: offset > 0 ? [200, 206] : [200],
    ...(offset > 0 ? { headers: { range: `bytes=${offset}-` } } : {}),
  })
  const { status, headers, url, body } = answer
  // A server that does not know ranges sends all of it again. Source: RFC 9110, section 14.2.
  const start = status === 206 ? Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? offset) : 0
  const length = headers['content-length']
  const isFit = start <= offset && (length === undefined || start + Number(length) === blob.size)
  if (isFit) return { answer, skip: offset - start }
  body.destroy()
  const found = start > offset ? `starts at byte ${start}, not ${offset}` : `has ${start + Number(length)} bytes`
  const reason = `blob ${blob.digest} from ${url.host} ${found} where its descriptor says ${blob.size}`
  throw new BuilderError('DIGEST', { operation: 'copy image', object: name, reason, hint: 'get it again' })
}

async function* contentOf(client: RegistryClient, { answer, skip }: Part, name: string) {
  let left = skip
  try {
    for await (const piece of bodyOf(answer, client.patience.stall)) {
      const chunk = piece.subarray(Math.min(left, piece.length))
      left -= piece.length - chunk.length
      if (chunk.length > 0) yield chunk
    }
  } catch (error) {
    const task = { operation: 'read image', object: name }
    throw connectionFailure(error, answer.url.host, task, client.patience.stall)
  }
}

function cutShort(object: string, host: string): Passing {
  const reason = `${host}: it cut the connection before the end`
  return new Passing(new BuilderError('NETWORK', { operation: 'read image', object, reason }))
}
