import { BuilderError } from '../errors.js'
import { caller } from '../namespace/caller.js'
import type { Credentials, RegistryOptions } from '../transport/registry/access.js'
import { checkLogin } from '../transport/registry/check-login.js'
import { credentialsFor } from '../transport/registry/credentials.js'
import { pushEndpointFor } from '../transport/registry/endpoints.js'
import { keepLogin, type LoginPlace, loginKey, parseLoginPlace } from '../transport/registry/logins.js'
import { ask, canAsk } from './ask.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link login}. */
export interface LoginOptions extends GlobalOptions, Omit<RegistryOptions, 'creds'> {
  /**
   * The user; asked for at a terminal when it is not given.
   * @short u
   * @placeholder USER
   */
  username?: string
  /**
   * The password, which others on the machine can read on a command line; better --password-stdin.
   * @short p
   * @placeholder PASSWORD
   */
  password?: string
  /** Read the password from standard input. */
  passwordStdin?: boolean
  /** Only print the user of the login that is there. */
  getLogin?: boolean
  /**
   * Accepted for buildah's scripts: login always says where it keeps the login.
   * @short v
   */
  verbose?: boolean
}

/** Who is logged in where. */
export interface LoginResult {
  /** The registry, with the namespace that the login is for. */
  readonly registry: string
  readonly username: string
  /** The file or the helper that keeps the login; absent when nothing was written. */
  readonly kept?: string
}

/**
 * Checks a login against a registry and keeps it, for builder and for every tool that reads auth.json.
 *
 * It goes into `--authfile`, `REGISTRY_AUTH_FILE` or auth.json, or to the credential helper that is set there. Without a user
 * and a password a login that is there is checked; when there is none, builder asks at the terminal.
 *
 * Throws `DENIED` when the registry refuses, `NETWORK` when it cannot be reached, `NOT_FOUND` with `getLogin` when there is
 * no login, `USAGE` when a user or a password is missing and there is no terminal.
 *
 * @verb
 * @where outside
 * @stdout Nothing; the user with --get-login.
 * @param registry - host[:port], or with a namespace behind it for a login that is for this namespace only.
 * @example
 * ```sh
 * builder login -u ci --password-stdin registry.example < token
 * ```
 * @example
 * ```ts
 * import { login } from 'builder-sdk'
 * const { username } = await login('registry.example', { username: 'ci', password: process.env.TOKEN ?? '' })
 * ```
 */
export async function login(registry: string, options: LoginOptions = {}): Promise<LoginResult> {
  const place = parseLoginPlace(registry)
  checkCall(options)
  const key = loginKey(place)
  if (options.getLogin) return { registry: key, username: (await known(place, options)) ?? notLoggedIn(key) }
  const endpoint = await pushEndpointFor({ registry: place.host, repository: place.repository }, options)
  const old = options.username === undefined ? await existing(place, options) : undefined
  if (old && (await checkLogin(endpoint, old, options.signal))) {
    const who = old.kind === 'token' ? 'with a token' : `as ${old.username}`
    caller().say(`builder: already logged in to ${key} ${who}\n`)
    return { registry: key, username: old.username }
  }
  const username = await userFrom(key, options, old?.username)
  const password = await passwordFrom(key, username, options)
  if (!(await checkLogin(endpoint, { kind: 'password', username, password }, options.signal))) throw refused(key)
  const kept = await keepLogin(place, { username, password }, options)
  caller().say(`builder: logged in to ${key} as ${username}; kept in ${kept}\n`)
  return { registry: key, username, kept }
}

/** What the shell door prints. */
export function present(result: LoginResult, options: LoginOptions): string {
  if (options.password !== undefined)
    caller().say('builder: others on this machine can read a password on a command line; use --password-stdin\n')
  return options.getLogin ? result.username : ''
}

function checkCall({ username, password, passwordStdin, getLogin }: LoginOptions): void {
  if (password !== undefined && passwordStdin) throw usage('--password and --password-stdin exclude each other')
  if (getLogin && (username ?? password ?? passwordStdin) !== undefined)
    throw usage('--get-login takes no user and no password')
  if (username === undefined && (password ?? passwordStdin) !== undefined)
    throw usage('a password is given, but no user', 'say --username')
  if (username === '' || username?.includes(':')) throw usage('a user is not empty and has no colon')
}

/** The file to write need not be there yet. */
async function existing(place: LoginPlace, options: LoginOptions): Promise<Credentials | undefined> {
  try {
    return await credentialsFor(place, options)
  } catch (error) {
    if (error instanceof BuilderError && error.code === 'NOT_FOUND' && error.object === options.authfile)
      return undefined
    throw error
  }
}

async function known(place: LoginPlace, options: LoginOptions): Promise<string | undefined> {
  return (await existing(place, options))?.username
}

async function userFrom(key: string, { username, signal }: LoginOptions, old = ''): Promise<string> {
  if (username !== undefined) return username
  if (!canAsk()) throw usage(`no user is given for ${key}, and there is no terminal to ask at`, needs)
  const answer = await ask(`User for ${key}${old === '' ? '' : ` (${old})`}: `, { signal })
  if (answer === '' && old === '') throw usage('a user is not empty')
  return answer || old
}

async function passwordFrom(key: string, username: string, options: LoginOptions): Promise<string> {
  const password = options.password ?? (options.passwordStdin ? await passwordFromStdin() : undefined)
  if (password === undefined && !canAsk())
    throw usage(`no password is given for ${key}, and there is no terminal to ask at`, needs)
  const said = password ?? (await ask(`Password of ${username}: `, { isSecret: true, signal: options.signal }))
  if (said === '') throw usage('the password is empty')
  return said
}

const needs = 'say --username USER --password-stdin, and give the password on standard input'

/** One line ending at the end is the shell's, not the password's. */
async function passwordFromStdin(): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of caller().stdin()) {
    chunks.push(Buffer.from(chunk))
    size += chunk.length
    if (size > 64 * 1024) throw usage('standard input is longer than a password (64 KiB)')
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

function notLoggedIn(key: string): never {
  throw new BuilderError('NOT_FOUND', {
    operation: 'login',
    object: key,
    reason: 'there is no login for it',
    hint: `builder login ${key}`,
  })
}

function refused(key: string): BuilderError {
  return new BuilderError('DENIED', {
    operation: 'login',
    object: key,
    reason: 'the registry refuses this user with this password',
    hint: 'check both; many registries want an access token in the place of the password',
  })
}

function usage(reason: string, hint?: string): BuilderError {
  return new BuilderError('USAGE', { operation: 'login', object: '', reason, ...(hint === undefined ? {} : { hint }) })
}
