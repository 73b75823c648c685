import { BuilderError } from '../../errors.js'
import type { Credentials, RegistryOptions } from './access.js'
import type { AuthEntry, AuthFile } from './auth-file.js'
import { readAuthFiles } from './auth-file-places.js'
import { askHelper } from './credential-helper.js'
import { canonicalName, dockerHubKey, isDockerHub } from './docker-hub.js'
import { type RegistriesFiles, readRegistriesConf } from './registries-conf.js'

/** What credentials are looked up for; an `Endpoint` is one. */
export interface CredentialsPlace {
  /** `host[:port]`; Docker Hub's several names count as one. */
  readonly host: string
  /** Empty for the registry as a whole. */
  readonly repository: string
  /** `creds` belong to the registry that the user named: a mirror never gets them. */
  readonly isMirror?: boolean
}

/**
 * The login for a repository: `creds`, else from the files and helpers of containers-auth.json(5), the most specific key
 * first. Undefined when there is none.
 *
 * Throws `INVALID` for a damaged file, `NOT_FOUND` for an authfile or a helper that is not there, `USAGE` for `creds` of the
 * wrong form, and as `askHelper` does. No error tells anything of a password or a token.
 */
export async function credentialsFor(
  place: CredentialsPlace,
  options: RegistryOptions & RegistriesFiles = {},
): Promise<Credentials | undefined> {
  if (options.creds !== undefined && !place.isMirror) return splitCreds(options.creds)
  const { host, repository } = canonicalName(place.host, place.repository)
  for (const helper of (await readRegistriesConf(options)).credentialHelpers) {
    const found = helper === 'containers-auth.json' ? await inFiles(host, repository, options) : await ask(helper, host)
    if (found) return found
  }
  return undefined
}

function splitCreds(creds: string): Credentials {
  const colon = creds.indexOf(':')
  if (colon > 0) return { kind: 'password', username: creds.slice(0, colon), password: creds.slice(colon + 1) }
  throw new BuilderError('USAGE', {
    operation: 'read',
    object: '--creds',
    reason: colon === 0 ? 'the user is missing' : 'the password is missing',
    hint: 'write USER:PASSWORD, or log in with builder login, which asks for the password',
  })
}

async function inFiles(host: string, repository: string, options: RegistryOptions): Promise<Credentials | undefined> {
  for (const file of await readAuthFiles(options)) {
    const found = await inFile(file, host, repository)
    if (found) return found
  }
  return undefined
}

/** A helper that is set for the registry alone counts, as podman has it. */
async function inFile(file: AuthFile, host: string, repository: string): Promise<Credentials | undefined> {
  const own = helperOf(file, host)
  if (own !== undefined) return ask(own, host)
  for (const key of [...specificKeys(host, repository), ...olderKeys(file, host)]) {
    const found = Object.hasOwn(file.auths, key) ? decoded(file, key, file.auths[key] ?? {}) : undefined
    if (found) return found
  }
  return file.credsStore === undefined ? undefined : askStore(file, file.credsStore, host)
}

/** The helper that a file names for a registry. */
export function helperOf({ credHelpers }: AuthFile, host: string): string | undefined {
  const key = serverNames(host).find((name) => Object.hasOwn(credHelpers, name))
  return key === undefined ? undefined : credHelpers[key] || undefined
}

/** registry/namespace/repository, registry/namespace, registry. */
function specificKeys(host: string, repository: string): readonly string[] {
  const parts = repository === '' ? [] : repository.split('/')
  return Array.from({ length: parts.length + 1 }, (_, index) =>
    [host, ...parts.slice(0, parts.length - index)].join('/'),
  )
}

/** Keys as docker wrote and writes them: URLs, some with the version of the interface at their end. */
export function olderKeys({ auths }: AuthFile, host: string): readonly string[] {
  return Object.keys(auths).filter((key) => {
    const bare = key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '')
    return !bare.includes('/') && canonicalName(bare, '').host === host
  })
}

function decoded({ path }: AuthFile, key: string, { auth, identitytoken }: AuthEntry): Credentials | undefined {
  if (auth === undefined && identitytoken === undefined) return undefined
  if (typeof (auth ?? '') !== 'string' || typeof (identitytoken ?? '') !== 'string') throw damaged(path, key)
  // Docker fills the password up with NUL bytes.
  const text = Buffer.from(String(auth ?? ''), 'base64')
    .toString('utf8')
    .replace(/\0+$/, '')
  const colon = text.indexOf(':')
  if (typeof identitytoken === 'string' && identitytoken !== '')
    return { kind: 'token', username: text.slice(0, Math.max(0, colon)), identityToken: identitytoken }
  if (text === '') return undefined
  if (colon < 0) throw damaged(path, key)
  return { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** A store whose program is not installed counts only where docker noted that it has the login. */
async function askStore(file: AuthFile, store: string, host: string): Promise<Credentials | undefined> {
  try {
    return await ask(store, host)
  } catch (error) {
    const isNoted = Object.hasOwn(file.auths, host) || olderKeys(file, host).length > 0
    if (error instanceof BuilderError && error.code === 'NOT_FOUND' && !isNoted) return undefined
    throw error
  }
}

async function ask(helper: string, host: string): Promise<Credentials | undefined> {
  for (const server of serverNames(host)) {
    const found = await askHelper(helper, server)
    if (found) return found
  }
  return undefined
}

/** The names that a helper may know a registry by: docker has its own for its Hub. */
export function serverNames(host: string): readonly string[] {
  return isDockerHub(host) ? ['docker.io', dockerHubKey, 'index.docker.io'] : [host]
}

function damaged(path: string, key: string): BuilderError {
  return new BuilderError('INVALID', {
    operation: 'read logins',
    object: path,
    reason: `the login of ${key} is not user:password in base64`,
    hint: `log in again: builder login ${key}`,
  })
}
