import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { emptied } from '../store/remove-tree.js'
import type { Store } from '../store/store.js'
import { temporaryPath } from '../store/temporary.js'

/**
 * The store's cache of packages, `cache/dnf/packages/<sha256>.rpm`, and of repositories' metadata. A run has a folder of its
 * own with links to what is here, so that runs side by side need no lock, and one that is killed leaves nothing half here.
 */
export interface DnfCache {
  /** Folder of the packages. */
  readonly packages: string
  /** Folder of the metadata, as dnf lays it out. */
  readonly metadata: string
}

/** Where the cache of a store is; it is made when it is not there. Throws system errors. */
export function dnfCache({ root }: Pick<Store, 'root'>): DnfCache {
  const cache = { packages: join(root, 'cache/dnf/packages'), metadata: join(root, 'cache/dnf/metadata') }
  for (const folder of Object.values(cache)) mkdirSync(folder, { recursive: true, mode: 0o700 })
  return cache
}

/** Gives a run its own folder of metadata, and of the packages beside it: links to the files of the cache. */
export function takeMetadata({ metadata }: DnfCache, into: string, packages: boolean): void {
  mkdirSync(into, { recursive: true })
  for (const name of readdirSync(metadata)) linkTree(join(metadata, name), join(into, name), packages)
}

/** Seconds since 1970 of the newest metadata in a run's folder: when its repository was last changed. */
export function newestMetadata(folder: string): number | undefined {
  const files = readdirSync(folder).map((name) => join(folder, name, 'repodata/repomd.xml'))
  const texts = files.filter((path) => existsSync(path)).map((path) => readFileSync(path, 'utf8'))
  const times = texts.flatMap((text) => [...text.matchAll(/<timestamp>(\d+)/g)].map(([, time]) => Number(time)))
  return times.length === 0 ? undefined : Math.max(...times)
}

/** Puts metadata that a run fetched, and packages beside it, into the cache in place of what is there under its name. */
export async function keepMetadata(
  store: Store,
  { metadata }: DnfCache,
  from: string,
  packages: boolean,
): Promise<void> {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const isKept = entry.isDirectory() ? existsSync(join(from, entry.name, 'repodata/repomd.xml')) : isSolv(entry.name)
    if (!isKept) continue
    const copy = temporaryPath(store)
    linkTree(join(from, entry.name), copy, packages)
    await replace(store, copy, join(metadata, entry.name))
  }
}

/** Puts a package's file into the cache. */
export function keepPackage({ packages }: DnfCache, checksum: string, file: string): void {
  const place = join(packages, `${checksum.replace('sha256:', '')}.rpm`)
  try {
    linkSync(file, place)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** The solver's own form of the metadata; it says of which metadata it is. */
function isSolv(name: string): boolean {
  return /\.solvx?$/.test(name)
}

/** Packages that a plugin tells of have their own place; those of a dnf without one lie with the metadata. */
function linkTree(from: string, to: string, packages: boolean): void {
  let names: string[]
  try {
    names = readdirSync(from)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Another run has just put newer metadata in its place.
    if (code === 'ENOENT') return
    if (code !== 'ENOTDIR') throw error
    link(from, to)
    return
  }
  mkdirSync(to)
  for (const name of names) if (packages || name !== 'packages') linkTree(join(from, name), join(to, name), packages)
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

async function replace(store: Store, from: string, to: string): Promise<void> {
  const old = temporaryPath(store)
  try {
    renameSync(to, old)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  try {
    mkdirSync(dirname(to), { recursive: true })
    renameSync(from, to)
  } catch (error) {
    // Another run was faster: its metadata is as good.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    await emptied(store, from)
  }
  rmSync(old, { recursive: true, force: true })
}
