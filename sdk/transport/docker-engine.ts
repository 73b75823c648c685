import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { asBuilderError, BuilderError } from '../errors.js'
import { collect } from './verify.js'

/** A call to the engine. */
export interface EngineCall {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** `docker-daemon:…`, for messages. */
  readonly name: string
  readonly operation: 'read image' | 'write image'
  readonly signal?: AbortSignal
}

/** A call whose body is being sent. */
export interface EngineUpload {
  readonly body: ClientRequest
  /** The answer when it is good. Throws as {@link askEngine}. */
  readonly answer: Promise<IncomingMessage>
}

/**
 * Asks a container engine over its unix socket: the one in `DOCKER_HOST`, or `/var/run/docker.sock`.
 * Source: Docker Engine API 1.41. Throws `NOT_FOUND` with the engine's words for 404, `UNSUPPORTED` when no engine
 * answers, `SYSTEM` when it may not be reached, `INVALID` for any other answer than a good one.
 */
export async function askEngine(call: EngineCall): Promise<IncomingMessage> {
  const { body, answer } = beginUpload(call)
  body.end()
  return answer
}

/** As {@link askEngine}, with a body that the caller writes and ends. */
export function beginUpload(call: EngineCall): EngineUpload {
  const { method, path, signal, name } = call
  const socketPath = engineSocket(process.env.DOCKER_HOST, name)
  const headers = method === 'POST' ? { 'Content-Type': 'application/x-tar' } : {}
  const body = request({ socketPath, method, path, headers, ...(signal ? { signal } : {}) })
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    let hasAnswer = false
    body.on('error', (error) => reject(unreachable(error, socketPath, call)))
    body.on('close', () => hasAnswer || reject(brokenOff(call)))
    body.on('response', (response) => {
      hasAnswer = true
      const isGood = (response.statusCode ?? 500) < 300
      if (isGood) resolve(response)
      else refused(response, call).then(reject, reject)
    })
  })
  answer.catch(() => {})
  return { body, answer }
}

/** The body of an answer. Throws `SYSTEM` when it is cut off. */
export async function* bodyOf(answer: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* answer
  } catch (error) {
    throw brokenOff({ name, operation: 'read image' }, error)
  }
}

/** The socket's path in `DOCKER_HOST`. Throws `UNSUPPORTED` for an engine that is reached in another way. */
export function engineSocket(dockerHost: string | undefined, name: string): string {
  if (!dockerHost) return '/var/run/docker.sock'
  if (dockerHost.startsWith('unix:///')) return dockerHost.slice('unix://'.length)
  throw new BuilderError('UNSUPPORTED', {
    operation: 'reach the engine',
    object: name,
    reason: `DOCKER_HOST is ${dockerHost.replace(/\/\/.*@/, '//')}, and builder speaks to an engine over its unix socket only`,
    hint: 'set DOCKER_HOST to unix:///PATH of its socket, or send the image through a registry',
  })
}

async function refused(response: IncomingMessage, { name, operation }: EngineCall): Promise<BuilderError> {
  const text = (await collect(response, 64 * 1024, name)).toString()
  const reason = `the engine says: ${messageIn(text)}`
  return new BuilderError(response.statusCode === 404 ? 'NOT_FOUND' : 'INVALID', { operation, object: name, reason })
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return String(message ?? text)
  } catch {
    return text.trim() === '' ? 'nothing' : text.trim()
  }
}

function unreachable(error: NodeJS.ErrnoException, socket: string, { name, operation }: EngineCall): BuilderError {
  const parts = { operation, object: name, cause: error }
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTSOCK')
    return new BuilderError('UNSUPPORTED', {
      ...parts,
      reason: `no container engine answers at ${socket}`,
      hint: 'start dockerd (package docker.io), or set DOCKER_HOST to unix:///PATH of its socket',
    })
  if (error.code === 'EACCES') {
    const hint = 'become a member of the group that owns the socket, or set DOCKER_HOST to your own engine'
    return new BuilderError('SYSTEM', { ...parts, reason: `you may not use the engine's socket ${socket}`, hint })
  }
  if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') return asBuilderError(error, operation, name)
  return brokenOff({ name, operation }, error)
}

function brokenOff({ name, operation }: Pick<EngineCall, 'name' | 'operation'>, cause?: unknown): BuilderError {
  const parts = { operation, object: name, reason: 'the engine broke the connection', hint: 'see its log' }
  return new BuilderError('SYSTEM', { ...parts, ...(cause === undefined ? {} : { cause }) })
}
