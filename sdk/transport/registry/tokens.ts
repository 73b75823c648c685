import { parseJson } from '../../image/config.js'
import type { Credentials } from './access.js'
import { type Challenge, parseChallenges } from './challenge.js'
import type { Answer, Exchange } from './exchange.js'

/** How the token server is reached: redirects followed, failures named, the answer's body read. */
export type AskTokenServer = (exchange: Omit<Exchange, 'signal'>) => Promise<string>

/** Who we are, as one registry wants to be told. */
export interface Identity {
  /** The Authorization header for a scope, as far as the registry was heard to want one. */
  header(scope: string): Promise<string | undefined>
  /** Learns from an answer of 401. False when there is nothing else to try. */
  learn(answer: Answer, scope: string, used: string | undefined): Promise<boolean>
  /** All that may not be seen in a message. */
  readonly secrets: ReadonlySet<string>
}

/** Source: distribution's auth/token.md, auth/oauth.md; RFC 7617. */
export function newIdentity(credentials: Credentials | undefined, ask: AskTokenServer): Identity {
  const secrets = new Set<string>(secretsOf(credentials))
  const tokens = new Map<string, Promise<Token>>()
  let challenge: Challenge | undefined
  const tokenFor = (scope: string, bearer: Challenge) => {
    const token = requestToken(bearer, scope, credentials, ask).then((one) => {
      secrets.add(one.token)
      return one
    })
    tokens.set(scope, token)
    token.catch(() => tokens.delete(scope))
    return token
  }
  return {
    secrets,
    async header(scope) {
      if (challenge?.scheme === 'basic') return basic(credentials)
      if (challenge?.scheme !== 'bearer') return undefined
      const known = await tokens.get(scope)
      const { token } = known && known.expires > Date.now() ? known : await tokenFor(scope, challenge)
      return `Bearer ${token}`
    },
    async learn({ headers }, scope, used) {
      const offered = parseChallenges(headers['www-authenticate'])
      const wanted =
        offered.find(({ scheme }) => scheme === 'bearer') ?? offered.find(({ scheme }) => scheme === 'basic')
      const isFirst = challenge === undefined
      challenge = wanted
      if (wanted?.scheme === 'basic') return isFirst && basic(credentials) !== undefined
      if (wanted?.scheme !== 'bearer' || !URL.canParse(wanted.parameters.realm ?? '')) return false
      // Another request may have renewed the token meanwhile.
      const known = await tokens.get(scope)
      if (known === undefined || `Bearer ${known.token}` === used) await tokenFor(scope, wanted)
      return true
    },
  }
}

interface Token {
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expires: number
}

function secretsOf(credentials: Credentials | undefined): string[] {
  if (!credentials) return []
  if (credentials.kind === 'token') return [credentials.identityToken]
  const pair = basic(credentials)?.slice('Basic '.length) ?? ''
  return [credentials.password, encodeURIComponent(credentials.password), pair].filter((text) => text !== '')
}

function basic(credentials: Credentials | undefined): string | undefined {
  if (credentials?.kind !== 'password') return undefined
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
}

async function requestToken(
  { parameters }: Challenge,
  scope: string,
  credentials: Credentials | undefined,
  ask: AskTokenServer,
): Promise<Token> {
  const url = new URL(parameters.realm as string)
  const asked = Date.now()
  const service = parameters.service === undefined ? {} : { service: parameters.service }
  const query = { ...service, ...(scope === '' ? {} : { scope }) }
  const text =
    credentials?.kind === 'token'
      ? await ask(oauthRequest(url, query, credentials.identityToken))
      : await ask(tokenRequest(url, query, credentials))
  const body = parseJson(Buffer.from(text), url.origin + url.pathname) as Record<string, unknown> | null
  const token = body?.token ?? body?.access_token
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw new NoToken(url)
  const seconds = typeof body?.expires_in === 'number' && body.expires_in > 0 ? body.expires_in : leastLife
  // Renewed a little early, for a request under way takes time.
  return { token, expires: asked + Math.max(seconds * 0.9, seconds - 30) * 1000 }
}

/** A token server that answered without a token. */
export class NoToken extends Error {
  constructor({ origin, pathname }: URL) {
    super(`the token server ${origin}${pathname} sent no token`)
  }
}

/** Seconds that a token lives when nothing is said. Source: auth/token.md, `expires_in`. */
const leastLife = 60

function tokenRequest(url: URL, query: Record<string, string>, credentials: Credentials | undefined) {
  const at = new URL(url)
  for (const [name, value] of Object.entries(query)) at.searchParams.append(name, value)
  const header = basic(credentials)
  if (header && credentials) at.searchParams.append('account', credentials.username)
  return { method: 'GET' as const, url: at, headers: header ? { authorization: header } : {} }
}

function oauthRequest(url: URL, query: Record<string, string>, identityToken: string) {
  const form = new URLSearchParams({ ...query, grant_type: 'refresh_token', client_id: 'builder' })
  form.append('refresh_token', identityToken)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST' as const, url, headers, body: [Buffer.from(form.toString())], isSecret: true }
}
