import { once } from 'node:events'
import { type Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { newAgents, type Trust } from './agents.js'
import { proxyFor, proxyHeaders } from './proxy.js'

/** One HTTP request. A body that is whole in memory can be sent again; a stream only once, and its size is said. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[] | SizedStream
  /** The body itself is a secret: it follows no redirect. */
  readonly isSecret?: boolean
  readonly signal?: AbortSignal | undefined
}

/** A body that is made while it is sent. */
export interface SizedStream {
  readonly stream: AsyncIterable<Uint8Array>
  readonly size: number
}

/** What came back; the body waits to be read with {@link bodyOf} or {@link discard}. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly url: URL
  readonly body: IncomingMessage
}

/** Connections to one registry and to where it leads, kept open between requests. */
export interface Connections {
  /** Throws what node:http throws, {@link Stalled} and {@link BodyFailure}. */
  exchange(exchange: Exchange): Promise<Answer>
  close(): void
}

/** A connection that brought nothing for too long. */
export class Stalled extends Error {}

/** What a body's own stream threw: the cause. It is not the connection's fault. */
export class BodyFailure extends Error {}

/** @param stall - Milliseconds that a request may keep silent. */
export function openConnections(trust: Trust, stall: number): Connections {
  const agents = newAgents(trust)
  return {
    exchange: async (exchange) => send(await agents.agentFor(exchange.url), exchange, stall),
    close: () => agents.close(),
  }
}

async function send(agent: Agent, exchange: Exchange, stall: number): Promise<Answer> {
  const { method, url, body = [], signal } = exchange
  const [pieces, length] =
    'stream' in body ? [body.stream, body.size] : [body, body.reduce((sum, piece) => sum + piece.length, 0)]
  const hasLength = length > 0 || method === 'PUT' || method === 'POST' || method === 'PATCH'
  const headers = {
    'user-agent': 'builder',
    'accept-encoding': 'identity',
    ...(hasLength ? { 'content-length': String(length) } : {}),
    ...exchange.headers,
  }
  const make = url.protocol === 'https:' ? secureRequest : request
  const options = { method, headers, agent, ...(signal ? { signal } : {}) }
  const message = make(url, { ...options, ...throughProxy(url, headers) })
  const watch = watchFor(stall, () => message.destroy(new Stalled()))
  try {
    const answered = once(message, 'response') as Promise<[IncomingMessage]>
    // A server may answer and close before it has all; then its answer counts, not the broken pipe.
    write(message, pieces, watch).catch(() => {})
    const [answer] = await answered
    // With an error, so that whoever waits to write more hears of it.
    answer.once('close', () => message.writableFinished || message.destroy(new Error('answered before the end')))
    return { status: answer.statusCode ?? 0, headers: answer.headers, url, body: answer }
  } finally {
    watch.end()
    // Whoever reads the body hears of errors; where nobody does, they must not end the process.
    message.on('error', () => {})
  }
}

/** Plain HTTP is asked of a proxy with the whole address. Source: RFC 9112, section 3.2.2. */
function throughProxy(url: URL, headers: Readonly<Record<string, string>>) {
  const proxy = url.protocol === 'http:' ? proxyFor(url) : undefined
  if (!proxy) return {}
  const all = { ...headers, ...proxyHeaders(proxy), host: url.host }
  return { hostname: proxy.hostname, port: proxy.port || 80, path: url.href, headers: all }
}

/** Calls when what is waited for does not come. Only the time between `begin` and `pause` counts. */
interface Watch {
  begin(): void
  pause(): void
  end(): void
}

function watchFor(stall: number, onStall: () => void): Watch {
  let isWaiting = true
  const timer = setTimeout(() => isWaiting && onStall(), stall)
  return {
    begin() {
      isWaiting = true
      timer.refresh()
    },
    pause() {
      isWaiting = false
    },
    end: () => clearTimeout(timer),
  }
}

async function write(message: ClientRequest, pieces: Pieces, watch: Watch): Promise<void> {
  let isAnswered = false
  message.once('response', () => {
    isAnswered = true
  })
  watch.pause()
  for await (const piece of heard(message, pieces))
    for (let done = 0; done < piece.length; done += pieceSize) {
      if (message.destroyed || isAnswered) return
      watch.begin()
      if (!message.write(piece.subarray(done, done + pieceSize))) await once(message, 'drain')
      watch.pause()
    }
  watch.begin()
  message.end()
}

type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** What the pieces throw ends the request. */
async function* heard(message: ClientRequest, pieces: Pieces): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* pieces
  } catch (cause) {
    message.destroy(new BodyFailure('the body broke off', { cause }))
    throw cause
  }
}

const pieceSize = 256 * 1024

/**
 * The body of an answer. Closes the connection when the reader stops before its end. Throws {@link Stalled} when hardly a
 * byte comes for `stall` milliseconds; the time that the reader takes does not count.
 */
export async function* bodyOf({ body }: Answer, stall: number): AsyncGenerator<Buffer, void, undefined> {
  const iterator: AsyncIterator<Buffer> = body[Symbol.asyncIterator]()
  const watch = watchFor(stall, () => body.destroy(new Stalled()))
  let waited = 0
  let got = 0
  try {
    for (;;) {
      const began = performance.now()
      watch.begin()
      const next = await iterator.next()
      watch.pause()
      if (next.done) return
      waited += performance.now() - began
      got += next.value.length
      if (waited > stall && got < least) throw new Stalled()
      if (got >= least) [got, waited] = [0, 0]
      yield next.value
    }
  } finally {
    watch.end()
    if (!body.readableEnded) body.destroy()
  }
}

/** Bytes that must come in the time of a stall. */
const least = 16 * 1024

/** Reads a body that nobody wants, so that the connection can be used again; gives up on a long one. */
export async function discard(answer: Answer, stall: number): Promise<void> {
  await readText(answer, stall).catch(() => {})
}

/** The start of a body, at most 64 KiB. */
export async function readText(answer: Answer, stall: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bodyOf(answer, stall)) {
    chunks.push(chunk)
    size += chunk.length
    if (size > 64 * 1024) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
