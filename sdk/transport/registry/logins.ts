import { BuilderError } from '../../errors.js'
import type { RegistryOptions } from './access.js'
import type { AuthFile } from './auth-file.js'
import { writtenAuthFile } from './auth-file-places.js'
import { type ChangeOptions, changeAuthFile } from './change-auth-file.js'
import { askHelper, eraseFromHelper, storeInHelper } from './credential-helper.js'
import { helperOf, olderKeys, serverNames } from './credentials.js'
import { canonicalName, dockerHubKey, isDockerHub } from './docker-hub.js'
import { type RegistriesFiles, readRegistriesConf } from './registries-conf.js'

/** What a login is for: a registry, or a namespace or a repository of it. */
export interface LoginPlace {
  readonly host: string
  /** Empty for the whole registry. */
  readonly repository: string
}

/** Where logins are kept, and how they are changed. */
export type LoginOptions = RegistryOptions & RegistriesFiles & ChangeOptions

/** Reads `host[:port][/namespace…]`; a scheme and docker's `/v1/` at the end are let go. Throws `USAGE`. */
export function parseLoginPlace(text: string): LoginPlace {
  const bare = text.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '')
  const [host = '', ...path] = bare.split('/')
  const isHost = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/.test(host)
  if (isHost && path.every((part) => /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/.test(part)))
    return { host: canonicalName(host, '').host, repository: path.join('/') }
  throw new BuilderError('USAGE', {
    operation: 'read registry',
    object: JSON.stringify(text),
    reason: 'it is not host[:port], with or without a namespace behind it',
    hint: 'write it as registry.example:5000 or docker.io',
  })
}

/** The key of a login in auth.json. */
export function loginKey({ host, repository }: LoginPlace): string {
  return repository === '' ? host : `${host}/${repository}`
}

/** Keeps a login where the configuration says, and gives that place in words. Throws as the helper and the file do. */
export async function keepLogin(
  place: LoginPlace,
  login: { readonly username: string; readonly password: string },
  options: LoginOptions,
): Promise<string> {
  const general = await generalHelper(options)
  const path = writtenAuthFile(options)
  let kept = path
  const inHelper = async ({ name, server }: Keeper) => {
    refusePath(name, place)
    await storeInHelper(name, server, login, options)
    kept = `docker-credential-${name}`
  }
  const change = async (file: AuthFile) => {
    const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64')
    const keeper = keeperIn(file, place)
    if (keeper) await inHelper(keeper)
    if (keeper && !keeper.isNoted) return undefined
    return withAuths(file, { ...file.auths, [loginKey(place)]: keeper ? {} : { auth } })
  }
  if (general === undefined) await changeAuthFile(path, change, options)
  else await inHelper({ name: general, server: place.host, isNoted: false })
  return kept
}

/** Forgets a login; false when there was none. Throws as the helper and the file do. */
export async function dropLogin(place: LoginPlace, options: LoginOptions): Promise<boolean> {
  const general = await generalHelper(options)
  if (general !== undefined) return eraseAll(general, place, options)
  let found = false
  const change = async (file: AuthFile) => {
    const keeper = keeperIn(file, place)
    if (keeper) found = await eraseAll(keeper.name, place, options)
    const older = place.repository === '' ? olderKeys(file, place.host) : []
    const keys = [loginKey(place), ...older].filter((key) => Object.hasOwn(file.auths, key))
    if (keys.length === 0) return undefined
    found = true
    return withAuths(file, without(file.auths, keys))
  }
  await changeAuthFile(writtenAuthFile(options), change, options)
  return found
}

/** Forgets all logins of the file and of the helpers that it names, and gives their keys. */
export async function dropAllLogins(options: LoginOptions): Promise<readonly string[]> {
  const gone: string[] = []
  const change = async (file: AuthFile) => {
    for (const [host, name] of Object.entries(file.credHelpers)) {
      if (await eraseAll(name, { host, repository: '' }, options)) gone.push(host)
    }
    const keys = Object.keys(file.auths)
    if (file.credsStore) for (const key of keys) await eraseFromHelper(file.credsStore, key, options)
    gone.push(...keys)
    return keys.length === 0 ? undefined : withAuths(file, {})
  }
  await changeAuthFile(writtenAuthFile(options), change, options)
  return [...new Set(gone)]
}

/** A helper that keeps a login in the place of the file. */
interface Keeper {
  readonly name: string
  /** What the helper calls the registry. */
  readonly server: string
  /** Docker notes in the file, without the secret, what its store has. */
  readonly isNoted: boolean
}

function keeperIn(file: AuthFile, { host, repository }: LoginPlace): Keeper | undefined {
  const own = helperOf(file, host)
  if (own !== undefined) return { name: own, server: host, isNoted: false }
  if (file.credsStore === undefined || repository !== '') return undefined
  return { name: file.credsStore, server: isDockerHub(host) ? dockerHubKey : host, isNoted: true }
}

/** registries.conf's credential-helpers: the first of them keeps logins, unless it stands for the file. */
async function generalHelper(options: RegistriesFiles): Promise<string | undefined> {
  const [first] = (await readRegistriesConf(options)).credentialHelpers
  return first === 'containers-auth.json' ? undefined : first
}

async function eraseAll(name: string, { host, repository }: LoginPlace, options: LoginOptions): Promise<boolean> {
  if (repository !== '') return false
  let found = false
  for (const server of serverNames(host)) {
    if (!(await askHelper(name, server, options))) continue
    await eraseFromHelper(name, server, options)
    found = true
  }
  return found
}

function withAuths(file: AuthFile, auths: AuthFile['auths']): Readonly<Record<string, unknown>> {
  return { ...file.document, auths }
}

function without(auths: AuthFile['auths'], keys: readonly string[]): AuthFile['auths'] {
  return Object.fromEntries(Object.entries(auths).filter(([key]) => !keys.includes(key)))
}

function refusePath(helper: string, place: LoginPlace): void {
  if (place.repository === '') return
  throw new BuilderError('UNSUPPORTED', {
    operation: 'log in to',
    object: loginKey(place),
    reason: `docker-credential-${helper} keeps the logins of ${place.host}, and a helper knows no namespaces`,
    hint: `log in to ${place.host}, or name another file with --authfile`,
  })
}
