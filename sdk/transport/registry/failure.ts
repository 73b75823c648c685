import { asBuilderError, BuilderError, type ErrorCode, type ErrorParts } from '../../errors.js'
import { type Answer, BodyFailure, readText, Stalled } from './exchange.js'
import { Passing, retryAfter } from './patience.js'
import { NoTunnel } from './proxy.js'

/** What was being done, for messages. */
export interface Task {
  readonly operation: string
  /** `docker://…`, without anything secret. */
  readonly object: string
}

/** What a request that got no answer failed with; a {@link Passing} one when it may get one later. */
export function connectionFailure(error: unknown, host: string, task: Task, stall: number): Error {
  if (error instanceof BuilderError) return error
  if (error instanceof BodyFailure) return asBuilderError(error.cause, task.operation, task.object)
  const { code = '', name, message } = error as NodeJS.ErrnoException
  if (name === 'AbortError')
    return new BuilderError('ABORTED', { ...task, reason: 'stopped before it was done', cause: error })
  const fail = (parts: Pick<ErrorParts, 'reason' | 'hint'>) =>
    new BuilderError('NETWORK', { ...task, ...parts, reason: `${host}: ${parts.reason}`, cause: error })
  if (error instanceof Stalled) return new Passing(fail({ reason: `nothing came for ${stall / 1000} seconds` }))
  if (certificateFault.test(code))
    return fail({ reason: `its certificate is not trusted: ${message}`, hint: trustHint })
  if (code === 'EPROTO' && message.includes('wrong version number'))
    return fail({ reason: 'it speaks plain HTTP, not TLS', hint: 'allow that with --tls-verify=false' })
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) return fail({ reason: `no TLS connection: ${message}` })
  if (error instanceof NoTunnel) return fail({ reason: message, hint: 'check HTTPS_PROXY and NO_PROXY' })
  const known = reasons[code]
  if (code === 'ENOTFOUND') return fail({ reason: 'there is no such host', hint: 'check the name of the registry' })
  return new Passing(fail(known ?? { reason: message }))
}

const trustHint = 'give its authority with --cert-dir, or connect unchecked with --tls-verify=false'
const certificateFault = /CERT|SIGNATURE|ERR_TLS/

const network = { hint: 'check the name, the port and the network' }
const reasons: Readonly<Record<string, { readonly reason: string; readonly hint?: string }>> = {
  ECONNREFUSED: { reason: 'it refuses the connection', ...network },
  EHOSTUNREACH: { reason: 'there is no way to it', ...network },
  ENETUNREACH: { reason: 'there is no way to it', ...network },
  ETIMEDOUT: { reason: 'it does not answer', ...network },
  EAI_AGAIN: { reason: 'its name cannot be looked up now', ...network },
  ECONNRESET: { reason: 'it cut the connection' },
  EPIPE: { reason: 'it cut the connection' },
}

/** The status of an answer that was not hoped for, as the cause of what is thrown. */
export class HttpStatus extends Error {
  readonly status: number

  constructor(status: number) {
    super(`HTTP status ${status}`)
    this.status = status
  }
}

/** What an answer says that was not hoped for; a {@link Passing} one for too many requests and for trouble at the server. */
export async function refusal(
  answer: Answer,
  task: Task,
  { stall, secrets }: { readonly stall: number; readonly secrets: ReadonlySet<string> },
): Promise<BuilderError | Passing> {
  const { status, headers, url } = answer
  const said = saidBy(await readText(answer, stall).catch(() => ''), secrets)
  const known = answers[status]
  const [code, word, hint] = known ?? (status >= 500 ? trouble : (['INVALID', 'it refuses the request'] as const))
  const reason = `${url.host}: ${word} (${status}${said === '' ? '' : `: ${said}`})`
  const parts = { ...task, reason, cause: new HttpStatus(status) }
  const failure = new BuilderError(code, { ...parts, ...(hint === undefined ? {} : { hint }) })
  return passing.has(status) ? new Passing(failure, retryAfter(headers['retry-after'])) : failure
}

const passing = new Set([408, 429, 500, 502, 503, 504])
const trouble = ['NETWORK', 'it is in trouble', 'try again later'] as const
const answers: Readonly<Record<number, readonly [ErrorCode, string, string?]>> = {
  401: ['DENIED', 'it wants a login', 'log in with builder login, or check name and password'],
  403: ['DENIED', 'it does not permit this', 'log in as a user who may, and check the name'],
  404: ['NOT_FOUND', 'it has no such thing', 'check the name and the tag'],
  405: ['UNSUPPORTED', 'it cannot do this'],
  413: ['INVALID', 'it takes nothing so large'],
  429: ['NETWORK', 'too many requests', 'try again later, or log in'],
}

/** The registry's own codes and words, short and without secrets. Source: distribution-spec, "Error Codes". */
function saidBy(body: string, secrets: ReadonlySet<string>): string {
  const errors = errorsOf(body)
  const words = errors.map(({ code, message }) => [code, message].filter((it) => typeof it === 'string').join(': '))
  let text = words.join('; ').replace(/\s+/g, ' ')
  for (const secret of secrets) text = text.replaceAll(secret, '***')
  return text.slice(0, 300)
}

function errorsOf(body: string): readonly { readonly code?: unknown; readonly message?: unknown }[] {
  try {
    const { errors } = JSON.parse(body)
    return Array.isArray(errors) ? errors.filter((it) => typeof it === 'object' && it !== null).slice(0, 5) : []
  } catch {
    return []
  }
}
