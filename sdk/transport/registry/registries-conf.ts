import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { BuilderError } from '../../errors.js'
import { isRealRoot } from '../../namespace/inside.js'
import { namesIn } from './configuration-file.js'
import { cacheHome, configHome } from './configuration-places.js'
import {
  type Alias,
  type RegistriesConfFile,
  readRegistriesConfFile,
  type ShortNameMode,
} from './registries-conf-file.js'
import type { RegistryTable } from './registry-table.js'

/** Which files of containers-registries.conf(5) to read; the global options of every verb. */
export interface RegistriesFiles {
  /** Default: `CONTAINERS_REGISTRIES_CONF`, else the user's, else /etc/containers/registries.conf. */
  registriesConf?: string
  /** Default: /etc/containers/registries.conf.d, then the user's. */
  registriesConfDir?: string
  /** Default: short-name-aliases.conf in the user's cache. */
  shortNameAliasConf?: string
}

/** What all the files say together. */
export interface RegistriesConf {
  /** Registries to look in for short names, in order. */
  readonly search: readonly string[]
  readonly mode: ShortNameMode
  /** Names of credential helpers; `containers-auth.json` stands for the files. */
  readonly credentialHelpers: readonly string[]
  readonly registries: readonly RegistryTable[]
  readonly aliases: ReadonlyMap<string, Alias>
  /** The files that are there, in the order in which they were read. */
  readonly files: readonly string[]
}

/**
 * Reads registries.conf and what is dropped in beside it, a later file over an earlier one. Throws `INVALID` and
 * `UNSUPPORTED` for a file that is wrong, `NOT_FOUND` for one that was named and is not there.
 */
export async function readRegistriesConf(files: RegistriesFiles = {}): Promise<RegistriesConf> {
  const paths = await registriesConfPaths(files)
  const read = await Promise.all(paths.map(async (path) => ({ path, file: await readRegistriesConfFile(path) })))
  const named = namedFile(files)
  if (named !== undefined && read[0]?.file === undefined) throw missing(named)
  return read.reduce((conf, { path, file }) => (file ? merged(conf, path, file) : conf), nothing)
}

/** The alias that a program recorded for the user; it counts more than those of registries.conf. */
export async function recordedAliases({ shortNameAliasConf }: RegistriesFiles): Promise<ReadonlyMap<string, Alias>> {
  const cache = isRealRoot() ? '/var/cache' : cacheHome()
  const path = shortNameAliasConf ?? join(cache, 'containers/short-name-aliases.conf')
  return (await readRegistriesConfFile(path))?.aliases ?? new Map()
}

/** containers-registries.conf.d(5), Configuration Precedence: the user's own registries.conf puts all of the system's aside. */
async function registriesConfPaths(files: RegistriesFiles): Promise<readonly string[]> {
  const user = join(configHome(), 'containers/registries.conf')
  const isUsers = namedFile(files) === undefined && (await isThere(user))
  const main = namedFile(files) ?? (isUsers ? user : '/etc/containers/registries.conf')
  const folders = isUsers ? [`${user}.d`] : ['/etc/containers/registries.conf.d', `${user}.d`]
  const chosen = files.registriesConfDir === undefined ? folders : [files.registriesConfDir]
  const dropped = await Promise.all(chosen.map(droppedIn))
  return [main, ...dropped.flat()]
}

async function droppedIn(folder: string): Promise<readonly string[]> {
  const names = await namesIn(folder, 'read registries.conf.d')
  return names.filter((name) => name.endsWith('.conf')).map((name) => join(folder, name))
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function namedFile({ registriesConf }: RegistriesFiles): string | undefined {
  return registriesConf ?? (process.env.CONTAINERS_REGISTRIES_CONF || undefined)
}

function merged(conf: RegistriesConf, path: string, file: RegistriesConfFile): RegistriesConf {
  const added = new Set(file.registries.map(({ prefix }) => prefix))
  return {
    search: file.search ?? conf.search,
    mode: file.mode ?? conf.mode,
    credentialHelpers: file.credentialHelpers ?? conf.credentialHelpers,
    registries: [...conf.registries.filter(({ prefix }) => !added.has(prefix)), ...file.registries],
    aliases: new Map([...conf.aliases, ...file.aliases]),
    files: [...conf.files, path],
  }
}

const nothing: RegistriesConf = {
  search: [],
  mode: 'permissive',
  credentialHelpers: ['containers-auth.json'],
  registries: [],
  aliases: new Map(),
  files: [],
}

function missing(path: string): BuilderError {
  return new BuilderError('NOT_FOUND', {
    operation: 'read registries.conf',
    object: path,
    reason: 'it does not exist',
    hint: 'check --registries-conf and CONTAINERS_REGISTRIES_CONF',
  })
}
