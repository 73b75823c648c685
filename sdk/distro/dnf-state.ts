import { lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BuilderError } from '../errors.js'
import { isInUserNamespace } from '../namespace/inside.js'
import { resolveInRoot } from '../namespace/rooted-path.js'
import { dnfCache, takeMetadata } from './dnf-cache.js'
import { type DnfPlaces, dnfConfig, repositoryText, rpmMacros } from './dnf-config.js'
import { dnfPlugin } from './dnf-plugin.js'
import type { DnfRun } from './dnf-work.js'

/** Writes all that dnf and rpm read beside the root into the run's folder. Throws system errors. */
export function prepareDnf({ store, work, state, lock, program }: DnfRun, root: string, dbpath: string): DnfPlaces {
  const cache = join(state, 'cache')
  takeMetadata(dnfCache(store), cache, program.kind !== 'dnf4')
  // In lists of folders dnf takes a blank for the next one: they are named from the working folder on.
  const own = { reposdir: ['repos'], varsdir: ['vars'] }
  const host = { reposdir: [...own.reposdir, ...hostRepositories], varsdir: [...own.varsdir, ...hostVariables] }
  const places = { root, state, cache, dbpath, ...(work.fromHost ? host : own) }
  const { packages } = dnfCache(store)
  const settings = { lock: lock?.packages ?? null, packages, epoch: work.epoch ?? null, devices: !isInUserNamespace() }
  const macros = rpmMacros(work, dbpath)
  const files: Record<string, string> = {
    'dnf.conf': dnfConfig(work, places),
    'home/.rpmmacros': macros,
    'home/.config/rpm/macros': macros,
    'plugins/builder.py': dnfPlugin,
    'plugins/settings.json': JSON.stringify({ ...settings, destination: work.destination }),
    ...Object.fromEntries(work.repositories.map((one) => [`repos/${one.id}.repo`, repositoryText(one)])),
    ...Object.fromEntries(work.repofiles.map((text, i) => [`repos/file-${i}.repo`, text])),
  }
  for (const folder of ['log', 'history', 'repos', 'vars']) mkdirSync(join(state, folder), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(state, name)), { recursive: true })
    writeFileSync(join(state, name), text)
  }
  return places
}

const hostRepositories = ['/etc/yum.repos.d', '/etc/distro.repos.d']
const hostVariables = ['/etc/dnf/vars', '/etc/yum/vars']

/**
 * What dnf makes in a root before it knows whether it needs it, as far as it is not there; the deepest first. Throws `UNSAFE`
 * where a link would lead dnf out of the root.
 */
export function newFolders(root: string): readonly string[] {
  const folders = ['/etc/dnf/modules.d', '/etc/dnf', '/etc']
  const link = folders.find((path) => resolveInRoot(root, path) !== join(root, path))
  if (link !== undefined)
    throw new BuilderError('UNSAFE', {
      operation: 'dnf',
      object: link,
      reason: 'it is a link, and dnf would follow it out of the container',
      hint: 'make it a folder',
    })
  return [...folders, '/run/dnf'].filter((path) => !lstatSync(join(root, path), { throwIfNoEntry: false }))
}
