import { BuilderError } from '../errors.js'
import { caller } from '../namespace/caller.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import { readAuthFiles, writtenAuthFile } from '../transport/registry/auth-file-places.js'
import { credentialsFor } from '../transport/registry/credentials.js'
import { dropAllLogins, dropLogin, type LoginPlace, loginKey, parseLoginPlace } from '../transport/registry/logins.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link logout}. */
export interface LogoutOptions extends GlobalOptions, Pick<RegistryOptions, 'authfile'> {
  /**
   * Forget all logins.
   * @short a
   */
  all?: boolean
}

/**
 * Forgets the login to a registry, where login keeps it.
 *
 * Throws `NOT_FOUND` when there is none; a login in another file, as docker's, is named and stays.
 *
 * @verb
 * @where outside
 * @stdout The registries whose login is gone, a line each.
 * @param registry - As it was given to login.
 * @example
 * ```sh
 * builder logout registry.example
 * ```
 * @example
 * ```ts
 * import { logout } from 'builder-sdk'
 * await logout('registry.example')
 * ```
 */
export async function logout(registry?: string, options: LogoutOptions = {}): Promise<readonly string[]> {
  if (options.all) {
    if (registry !== undefined) throw usage('--all takes no registry')
    return dropAllLogins(options)
  }
  if (registry === undefined) throw usage('no registry is named', 'name one, or say --all')
  const place = parseLoginPlace(registry)
  if (!(await dropLogin(place, options))) throw await noLogin(place, options)
  if (await credentialsFor(place, options).catch(() => undefined))
    caller().say(`builder: another login for ${loginKey(place)} is still there (${await elsewhere(options)})\n`)
  return [loginKey(place)]
}

/** What the shell door prints. */
export function present(result: readonly string[]): string {
  return result.join('\n')
}

async function noLogin(place: LoginPlace, options: LogoutOptions): Promise<BuilderError> {
  const key = loginKey(place)
  const other = await credentialsFor(place, options).catch(() => undefined)
  const hint = other ? `the login in use is not builder's to forget (${await elsewhere(options)})` : undefined
  return new BuilderError('NOT_FOUND', {
    operation: 'logout',
    object: key,
    reason: `${writtenAuthFile(options)} has no login for it`,
    ...(hint === undefined ? {} : { hint }),
  })
}

async function elsewhere(options: LogoutOptions): Promise<string> {
  const written = writtenAuthFile(options)
  const files = (await readAuthFiles(options)).map(({ path }) => path).filter((path) => path !== written)
  return `see ${files.join(', ') || written}`
}

function usage(reason: string, hint?: string): BuilderError {
  return new BuilderError('USAGE', { operation: 'logout', object: '', reason, ...(hint === undefined ? {} : { hint }) })
}
