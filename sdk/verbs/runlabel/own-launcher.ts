import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BuilderError } from '../../errors.js'
import type { GlobalOptions } from '../global.js'

/** The words that start builder itself on the same store, as a process of its own: the launcher, and the global options. */
export function ownLauncher(options: GlobalOptions): readonly string[] {
  const { root, runroot, registriesConf, registriesConfDir, shortNameAliasConf, storageDriver } = options
  const places = { root, runroot, registriesConf, registriesConfDir, shortNameAliasConf }
  const names = {
    root: 'root',
    runroot: 'runroot',
    registriesConf: 'registries-conf',
    registriesConfDir: 'registries-conf-dir',
    shortNameAliasConf: 'short-name-alias-conf',
  }
  const flags = Object.entries(places).flatMap(([key, path]) =>
    path === undefined ? [] : [`--${names[key as keyof typeof names]}=${resolve(path)}`],
  )
  return [launcherPath(), ...flags, ...(storageDriver === undefined ? [] : [`--storage-driver=${storageDriver}`])]
}

/** Whether this is a source, a compiled file or a bundle, the launcher is in the folder `bin` of the package. */
function launcherPath(): string {
  const file = fileURLToPath(import.meta.url)
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'bin/builder')
    if (existsSync(path) && existsSync(join(folder, 'package.json'))) return path
  }
  throw new BuilderError('NOT_FOUND', {
    operation: 'start builder',
    object: 'bin/builder',
    reason: `it is in no folder above ${file}`,
    hint: 'install the package as a whole',
  })
}
