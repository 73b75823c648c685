import { BuilderError } from '../../errors.js'
import type { Credentials, Endpoint } from './access.js'
import { type Answer, type Connections, discard, type Exchange, openConnections, readText } from './exchange.js'
import { connectionFailure, refusal, type Task } from './failure.js'
import { Passing, type Patience, patiently, usualPatience } from './patience.js'
import { type Identity, NoToken, newIdentity } from './tokens.js'

/** A request to a repository's registry. */
export interface Call extends Task {
  readonly method: Exchange['method']
  /** Below `/v2/<repository>/`, or the whole address that an earlier answer named. */
  readonly path: string | URL
  /** What the token is for; `login` asks for none of the repository's. */
  readonly actions: 'pull' | 'pull,push' | 'pull,delete' | 'login'
  /** Statuses that are an answer; every other is a failure. */
  readonly expect: readonly number[]
  readonly headers?: Readonly<Record<string, string>>
  /** A stream can be sent only by {@link RegistryClient.once}. */
  readonly body?: Exchange['body']
  /** Repositories besides, that are read from. */
  readonly alsoFrom?: readonly string[]
  /** In place of the client's own. */
  readonly signal?: AbortSignal
}

/** A registry, as seen from one repository. */
export interface RegistryClient {
  readonly endpoint: Endpoint
  readonly patience: Patience
  readonly signal: AbortSignal | undefined
  /** Throws what {@link Call.expect} does not name, with the registry's own words. */
  call(call: Call): Promise<Answer>
  /** The same, for what must not be done twice: throws {@link Passing} where {@link RegistryClient.call} asks again. */
  once(call: Call): Promise<Answer>
  close(): void
}

/** How a client is opened. */
export interface ClientOptions {
  readonly credentials?: Credentials | undefined
  readonly signal?: AbortSignal | undefined
  readonly patience?: Partial<Patience>
}

/**
 * Opens a registry: logs in as it asks, follows redirects and asks again when it is in trouble. The credentials go to the
 * registry itself and to the token server that it names, to no other host.
 */
export async function openRegistry(endpoint: Endpoint, options: ClientOptions = {}): Promise<RegistryClient> {
  const patience = { ...usualPatience(), ...options.patience }
  const { signal } = options
  const connections = openConnections(endpoint, patience.stall)
  const origin = originOf(endpoint, connections, patience)
  const way = { connections, endpoint, patience, signal }
  const identity: Identity = newIdentity(options.credentials, (exchange) =>
    askTokenServer(way, exchange, identity.secrets),
  )
  const once = async (call: Call) => {
    const url = new URL(call.path, `${await origin(call, signal)}/v2/${endpoint.repository}/`)
    return authorized(call.signal ? { ...way, signal: call.signal } : way, identity, url, call)
  }
  return {
    endpoint,
    patience,
    signal,
    once,
    call: (call) => patiently(() => once(call), patience, signal),
    close: () => connections.close(),
  }
}

interface Way {
  readonly connections: Connections
  readonly endpoint: Endpoint
  readonly patience: Patience
  readonly signal: AbortSignal | undefined
}

/** `https://host`, or what an insecure registry turns out to speak; found out once, at the first request. */
function originOf({ host, insecure }: Endpoint, connections: Connections, { stall }: Patience) {
  if (!insecure) return async () => `https://${host}`
  let found: Promise<string> | undefined
  const probe = async (task: Task, signal: AbortSignal | undefined) => {
    const ask = async (scheme: string) => {
      const url = new URL(`${scheme}://${host}/v2/`)
      await discard(await connections.exchange({ method: 'GET', url, signal }), stall)
      return `${scheme}://${host}`
    }
    try {
      return await ask('https').catch((error) => (signal?.aborted ? Promise.reject(error) : ask('http')))
    } catch (error) {
      found = undefined
      throw connectionFailure(error, host, task, stall)
    }
  }
  return (task: Task, signal: AbortSignal | undefined) => {
    found ??= probe(task, signal)
    return found
  }
}

async function authorized(way: Way, identity: Identity, url: URL, call: Call): Promise<Answer> {
  const task = { operation: call.operation, object: call.object }
  const { stall } = way.patience
  const { secrets } = identity
  const scope = scopeOf(way.endpoint, call)
  const exchange = { method: call.method, url, headers: call.headers ?? {}, body: call.body ?? [] }
  const used = await identity.header(scope).catch((error) => Promise.reject(tokenFailure(error, task)))
  let answer = await follow(way, exchange, task, used)
  if (answer.status === 401 && isHome(answer.url, way.endpoint)) {
    const isNew = await identity.learn(answer, scope, used).catch((error) => Promise.reject(tokenFailure(error, task)))
    if (isNew) {
      // A stream is spent: whoever made it begins again.
      if ('stream' in exchange.body) throw new Passing(asFailure(await refusal(answer, task, { stall, secrets })))
      await discard(answer, stall)
      answer = await follow(way, exchange, task, await identity.header(scope))
    }
  }
  if (call.expect.includes(answer.status)) return answer
  throw await refusal(answer, task, { stall, secrets })
}

function asFailure(error: BuilderError | Passing): BuilderError {
  return error instanceof Passing ? error.failure : error
}

/** Source: distribution's auth/scope.md. */
function scopeOf({ repository }: Endpoint, { actions, alsoFrom = [] }: Pick<Call, 'actions' | 'alsoFrom'>): string {
  if (actions === 'login') return ''
  return [`repository:${repository}:${actions}`, ...alsoFrom.map((other) => `repository:${other}:pull`)].join(' ')
}

/** Makes a request and goes where it is sent. What is secret goes nowhere but to the registry. */
async function follow(
  { connections, endpoint, patience, signal }: Way,
  exchange: Exchange,
  task: Task,
  authorization: string | undefined,
): Promise<Answer> {
  let { url } = exchange
  for (let hops = 0; hops <= mostHops; hops++) {
    const isOurs = url.origin === exchange.url.origin && isHome(url, endpoint)
    const headers = { ...exchange.headers, ...(isOurs && authorization ? { authorization } : {}) }
    const answer = await connections.exchange({ ...exchange, url, headers, signal }).catch((error) => {
      throw connectionFailure(error, url.host, task, patience.stall)
    })
    const target = redirectOf(answer, exchange.method)
    if (target === undefined || exchange.isSecret || 'stream' in (exchange.body ?? [])) return answer
    await discard(answer, patience.stall)
    if (!URL.canParse(target, url.href)) throw strayed(task, `${url.host} redirects to something that is no address`)
    const next = new URL(target, url)
    if (!/^https?:$/.test(next.protocol)) throw strayed(task, `${url.host} redirects to ${next.protocol}`)
    if (url.protocol === 'https:' && next.protocol === 'http:' && !endpoint.insecure)
      throw strayed(task, `${url.host} redirects from TLS to plain HTTP at ${next.host}`)
    url = next
  }
  throw strayed(task, `${endpoint.host} redirects more than ${mostHops} times`)
}

const mostHops = 5

function isHome(url: URL, { host }: Endpoint): boolean {
  return url.host === new URL(`${url.protocol}//${host}`).host
}

/** Only 307 and 308 keep the method of a request that is not a GET. Source: RFC 9110, section 15.4. */
function redirectOf({ status, headers }: Answer, method: Exchange['method']): string | undefined {
  const reads = method === 'GET' || method === 'HEAD'
  const isRedirect = status === 307 || status === 308 || (reads && (status === 301 || status === 302 || status === 303))
  return isRedirect ? headers.location : undefined
}

function strayed(task: Task, reason: string): BuilderError {
  const hint = 'the registry is not set up well, or is not what it seems'
  return new BuilderError('INVALID', { ...task, reason, hint })
}

async function askTokenServer(
  way: Way,
  exchange: Omit<Exchange, 'signal'>,
  secrets: ReadonlySet<string>,
): Promise<string> {
  const { url, headers: { authorization, ...headers } = {} as Record<string, string> } = exchange
  const task = { operation: 'log in', object: url.host }
  if (!/^https?:$/.test(url.protocol) || (url.protocol === 'http:' && !way.endpoint.insecure))
    throw strayed(task, `${way.endpoint.host} wants the password sent to ${url.origin}, without TLS`)
  const { patience } = way
  return patiently(
    async () => {
      const place = { ...way.endpoint, host: url.host }
      const answer = await follow({ ...way, endpoint: place }, { ...exchange, headers }, task, authorization)
      if (answer.status === 200) return readText(answer, patience.stall)
      throw await refusal(answer, task, { stall: patience.stall, secrets })
    },
    patience,
    way.signal,
  )
}

function tokenFailure(error: unknown, task: Task): unknown {
  if (error instanceof NoToken) return new BuilderError('INVALID', { ...task, reason: error.message, cause: error })
  if (!(error instanceof BuilderError)) return error
  const { code, object, reason, hint } = error
  const parts = { ...task, reason: `no token from ${object}: ${reason}`, cause: error }
  return new BuilderError(code, { ...parts, ...(hint === undefined ? {} : { hint }) })
}
