import { createSign, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** A token server as distribution's auth/token.md and auth/oauth.md describe it. */
export interface TokenServer extends AsyncDisposable {
  readonly realm: string
  readonly issuer: string
  /** What was asked for so far: `GET scope` or `POST scope`, with the user. */
  readonly asked: readonly { readonly method: string; readonly scope: string; readonly user: string | undefined }[]
}

export interface TokenServerOptions {
  /** The certificate that signs tokens and serves TLS, PEM files. */
  readonly certificate: string
  readonly key: string
  readonly tls?: boolean
  readonly user: string
  readonly password: string
  /** Takes the place of user and password in oauth2. */
  readonly identityToken?: string
  /** Seconds that a token lives; 300 when absent. */
  readonly life?: number
}

/** Starts a token server. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const asked: { method: string; scope: string; user: string | undefined }[] = []
  const pem = { cert: readFileSync(options.certificate), key: readFileSync(options.key) }
  const server = options.tls ? createSecureServer(pem) : createServer()
  server.on('request', async (request: IncomingMessage, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    const form = request.method === 'POST' ? new URLSearchParams(await textOf(request)) : url.searchParams
    const user = request.method === 'POST' ? userOfToken(form, options) : userOf(request, options)
    const scopes = form.getAll('scope').flatMap((text) => text.split(' '))
    asked.push({ method: request.method ?? '', scope: scopes.join(' '), user: user || undefined })
    if (user === undefined) return response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED"}]}')
    const token = signedToken(options, scopes, user === '' ? ['pull'] : undefined)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ token, access_token: token, expires_in: options.life ?? 300 }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    realm: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}/token`,
    issuer,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const issuer = 'the token server of the test'

/** Nobody is `''`; a wrong login is undefined. */
function userOf({ headers }: IncomingMessage, { user, password }: TokenServerOptions): string | undefined {
  if (headers.authorization === undefined) return ''
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  return headers.authorization === wanted ? user : undefined
}

function userOfToken(form: URLSearchParams, { identityToken, user }: TokenServerOptions): string | undefined {
  const fits = form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === identityToken
  return fits ? user : undefined
}

function signedToken({ certificate, key, life = 300 }: TokenServerOptions, scopes: string[], only?: string[]): string {
  const x5c = [readFileSync(certificate, 'utf8').replace(/-----[^-]+-----|\s/g, '')]
  const now = Math.floor(Date.now() / 1000)
  const times = { exp: now + life, nbf: now - 10, iat: now }
  const claims = { iss: issuer, sub: 'someone', aud: 'the test registry', jti: randomUUID(), ...times }
  const access = scopes.map((scope) => {
    const [type, ...rest] = scope.split(':')
    const actions = rest.pop()?.split(',') ?? []
    return { type, name: rest.join(':'), actions: only ? actions.filter((one) => only.includes(one)) : actions }
  })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ typ: 'JWT', alg: 'ES256', x5c })}.${part({ ...claims, access })}`
  const signature = createSign('sha256')
    .update(text)
    .sign({ key: readFileSync(key), dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
