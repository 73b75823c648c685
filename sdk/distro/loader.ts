/**
 * Where the dynamic loader of this machine looks for a library that no RPATH or RUNPATH leads to: /etc/ld.so.cache, or
 * the folders of /etc/ld.so.conf where there is no cache, and the loader's own default folders. As ld.so(8) has it,
 * without starting it and without LD_LIBRARY_PATH: what an image holds must not depend on the caller's environment.
 */
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/** One loader's way to look. */
export interface LibrarySearch {
  /** The folders that are compiled into the loader: a library there is found without a cache. */
  readonly defaults: readonly string[]
  /** Paths at which the cache, or the configured folders, have a library of this name; in the order of preference. */
  cached(name: string): readonly string[]
}

/** Reads how the loader at `interpreter` looks for libraries. */
export async function librarySearch(interpreter: string): Promise<LibrarySearch> {
  const defaults = await defaultFolders(interpreter)
  const cache = await readCache('/etc/ld.so.cache')
  if (cache) return { defaults, cached: (name) => cache.get(name) ?? [] }
  const configured = await configuredFolders('/etc/ld.so.conf', new Set())
  return { defaults, cached: (name) => configured.map((folder) => join(folder, name)) }
}

// Distributions compile different folders into their loader (/lib64, /lib/x86_64-linux-gnu, /usr/local/lib …), and it
// holds them as text: glibc as a run of NUL-ended folders that end in a slash, musl as a list with colons.
async function defaultFolders(interpreter: string): Promise<readonly string[]> {
  const text = (await read(interpreter))?.toString('latin1') ?? ''
  const glibc = /(?:\/[\w.+/-]*lib[\w./-]*\/\0)+/.exec(text)?.[0].split('\0').filter(Boolean)
  const musl = /\0(\/lib(?::\/[\w./-]+)+)\0/.exec(text)?.[1]?.split(':')
  const found = glibc ?? musl ?? [dirname(interpreter), '/lib64', '/usr/lib64', '/lib', '/usr/lib']
  return found.map((folder) => resolve(folder))
}

/**
 * The cache in the format of glibc 2.2 and later (`dl-cache.h`, `struct cache_file_new`), which may follow one of the
 * old format. Libraries for newer processors only (hwcap not 0) are passed over: the image may run on another machine.
 */
async function readCache(path: string): Promise<Map<string, string[]> | undefined> {
  const file = await read(path)
  const start = file?.indexOf(magic) ?? -1
  if (!file || start < 0) return undefined
  const cache = file.subarray(start)
  const little = cache.length < header || (cache[28] ?? 0) % 4 !== 3
  const number = (at: number) => (at + 4 > cache.length ? 0 : little ? cache.readUInt32LE(at) : cache.readUInt32BE(at))
  const text = (at: number) => cache.toString('utf8', at, Math.max(at, cache.indexOf(0, at)))
  const paths = new Map<string, string[]>()
  for (let at = header, left = number(20); left > 0 && at + entry <= cache.length; at += entry, left--) {
    if (number(at + 16) !== 0 || number(at + 20) !== 0) continue
    const [name, found] = [text(number(at + 4)), text(number(at + 8))]
    paths.set(name, [...(paths.get(name) ?? []), found])
  }
  return paths
}

const magic = 'glibc-ld.so.cache1.1'
const header = 48
const entry = 24

async function configuredFolders(path: string, seen: Set<string>): Promise<string[]> {
  if (seen.has(path)) return []
  seen.add(path)
  const folders: string[] = []
  for (const line of ((await read(path))?.toString('utf8') ?? '').split('\n')) {
    const [word = '', ...rest] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (word.startsWith('/')) folders.push(word)
    if (word !== 'include') continue
    for (const pattern of rest)
      for (const file of await matches(resolve(dirname(path), pattern)))
        folders.push(...(await configuredFolders(file, seen)))
  }
  return folders
}

// Patterns stand in the last part of the path only, in every distribution's file.
async function matches(pattern: string): Promise<string[]> {
  const last = pattern.slice(dirname(pattern).length + 1)
  const parts = last.split('*').map((part) => part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('?', '.'))
  const names = await readdir(dirname(pattern)).catch(() => [])
  return names
    .filter((name) => new RegExp(`^${parts.join('.*')}$`).test(name))
    .sort()
    .map((name) => join(dirname(pattern), name))
}

async function read(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(() => undefined)
}
