import { BuilderError } from '../../errors.js'
import type { Digest } from '../../image/digest.js'
import type { RegistryClient } from './client.js'
import { type Answer, discard, type SizedStream } from './exchange.js'
import type { Task } from './failure.js'

/** A blob on its way to a registry. Source: distribution-spec, "Pushing blobs". */
export interface UploadSession {
  /** Bytes that a chunk must have at least, but for the last. */
  readonly least: number
  /** Sends bytes that begin at `offset` of the blob. Throws {@link Passing} when it is unknown how many arrived. */
  patch(body: readonly Uint8Array[] | SizedStream, offset: number): Promise<void>
  /** Ends the blob, with its last bytes or without. Throws {@link Passing}. */
  put(digest: Digest, body: readonly Uint8Array[]): Promise<void>
  /** How many bytes arrived; undefined when the registry has forgotten the upload. */
  received(): Promise<number | undefined>
  /** Has the registry forget it. Never throws. */
  cancel(): Promise<void>
}

/** Opens an upload. `opened` is the answer to a request that was made already. */
export async function openUpload(client: RegistryClient, task: Task, opened?: Answer): Promise<UploadSession> {
  const first = opened ?? (await begin(client, task))
  let at = locationOf(client, first, task)
  const { stall } = client.patience
  const send = async (method: 'PATCH' | 'PUT', path: URL, body: Body, more: Record<string, string>) => {
    const headers = { 'content-type': 'application/octet-stream', ...more }
    const expect = method === 'PUT' ? [201, 204] : [201, 202, 204]
    const answer = await client.once({ ...task, method, path, actions: 'pull,push', expect, headers, body })
    await discard(answer, stall)
    return answer
  }
  return {
    least: Number(first.headers['oci-chunk-min-length'] ?? 0) || 0,
    async patch(body, offset) {
      const size = 'stream' in body ? body.size : body.reduce((sum, piece) => sum + piece.length, 0)
      const range = { 'content-range': `${offset}-${offset + size - 1}` }
      at = locationOf(client, await send('PATCH', at, body, range), task)
    },
    async put(digest, body) {
      const last = new URL(at)
      // Appended as text: what the registry signed stays as it is.
      last.search = `${at.search === '' ? '?' : `${at.search}&`}digest=${encodeURIComponent(digest)}`
      await send('PUT', last, body, {})
    },
    async received() {
      const expect = [200, 202, 204, 400, 404, 410, 416]
      const answer = await client.call({ ...task, method: 'GET', path: at, actions: 'pull,push', expect })
      await discard(answer, stall)
      if (answer.status >= 400) return undefined
      if (answer.headers.location !== undefined) at = locationOf(client, answer, task)
      const end = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.range ?? '')?.[1]
      // `0-0` is what registries say of an upload that has nothing yet.
      return end === undefined || end === '0' ? 0 : Number(end) + 1
    },
    async cancel() {
      const signal = AbortSignal.timeout(5000)
      const call = { ...task, method: 'DELETE', path: at, actions: 'pull,push', expect: [200, 202, 204] } as const
      await client.once({ ...call, signal }).then(
        (answer) => discard(answer, stall),
        () => {},
      )
    },
  }
}

type Body = readonly Uint8Array[] | SizedStream

async function begin(client: RegistryClient, task: Task): Promise<Answer> {
  const call = { ...task, method: 'POST', path: 'blobs/uploads/', actions: 'pull,push', expect: [202] } as const
  const answer = await client.call(call)
  await discard(answer, client.patience.stall)
  return answer
}

/** Where the upload goes on. A registry behind a proxy that ends TLS often names itself with the wrong scheme. */
function locationOf(client: RegistryClient, { headers, url }: Answer, task: Task): URL {
  const { location } = headers
  if (location === undefined || !URL.canParse(location, url.href)) {
    const reason = `${url.host}: it opened an upload and did not say where`
    throw new BuilderError('INVALID', { ...task, reason, hint: 'the registry breaks the distribution specification' })
  }
  const next = new URL(location, url)
  if (next.hostname === url.hostname && next.protocol === 'http:' && url.protocol === 'https:') {
    next.protocol = 'https:'
    next.port = url.port
  }
  if (next.protocol === 'https:' || (next.protocol === 'http:' && client.endpoint.insecure)) return next
  const reason = `${url.host}: it wants the upload sent to ${next.origin}, without TLS`
  throw new BuilderError('INVALID', { ...task, reason, hint: 'the registry is not set up well' })
}
