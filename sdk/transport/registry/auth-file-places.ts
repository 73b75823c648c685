import { join, resolve } from 'node:path'
import { BuilderError } from '../../errors.js'
import type { RegistryOptions } from './access.js'
import { type AuthFile, readAuthFile } from './auth-file.js'
import { configHome, home, primaryAuthFile } from './configuration-places.js'

/** The file that login and logout change: `authfile`, `REGISTRY_AUTH_FILE`, else auth.json. */
export function writtenAuthFile({ authfile }: RegistryOptions): string {
  const named = authfile ?? process.env.REGISTRY_AUTH_FILE
  return named ? resolve(named) : primaryAuthFile()
}

/**
 * The files with logins that are there, in the order to look (containers-auth.json(5)): a named one first, then the user's
 * others. Throws `NOT_FOUND` for an `authfile` that is not there, and as {@link readAuthFile} does.
 */
export async function readAuthFiles(options: RegistryOptions): Promise<readonly AuthFile[]> {
  const paths = new Set([
    writtenAuthFile(options),
    join(configHome(), 'containers/auth.json'),
    join(process.env.DOCKER_CONFIG || join(home(), '.docker'), 'config.json'),
  ])
  const [first, ...others] = await Promise.all([...paths].map((path) => readAuthFile(path)))
  if (!first && options.authfile) throw missing(options.authfile)
  const oldest = await readAuthFile(join(home(), '.dockercfg'), true)
  return [first, ...others, oldest].filter((file) => file !== undefined)
}

function missing(path: string): BuilderError {
  return new BuilderError('NOT_FOUND', {
    operation: 'read logins',
    object: path,
    reason: 'it does not exist',
    hint: 'check --authfile, or write it with builder login --authfile',
  })
}
