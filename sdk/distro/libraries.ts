/**
 * The shared libraries that a dynamic program is started with, in the order in which ld.so(8) finds them: breadth
 * first, each name once.
 */
import { realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BuilderError } from '../errors.js'
import { type ElfFile, readElf } from './elf.js'
import { type LibrarySearch, librarySearch } from './loader.js'

/** A library: where the host has it, and where a loader without a cache looks for it (often the same path). */
export interface Library {
  readonly path: string
  readonly seenAt: string
}

/**
 * Finds the libraries of `program`, a path without links, whose ELF file and whose loader's path are given.
 *
 * @throws BuilderError `NOT_FOUND` when one is nowhere, naming who needs it; `INVALID` for a library that breaks its format.
 */
export async function librariesOf(program: string, elf: ElfFile, interpreter: string): Promise<Library[]> {
  const search = await librarySearch(interpreter)
  const main: Loaded = { path: program, seenAt: program, elf }
  const loader = await readElf(interpreter)
  const names = new Set(loader?.soname === undefined ? [] : [loader.soname])
  const loaded = [main]
  for (const object of loaded)
    for (const name of object.elf.needed) {
      if (names.has(name)) continue
      const library = await findLibrary(name, object, main, search)
      names.add(name).add(library.elf.soname ?? name)
      loaded.push(library)
    }
  return loaded.slice(1)
}

interface Loaded extends Library {
  readonly elf: ElfFile
  /** Who needed it first. */
  readonly by?: Loaded
}

async function findLibrary(name: string, by: Loaded, main: Loaded, search: LibrarySearch): Promise<Loaded> {
  for (const place of await candidates(name, by, search)) {
    if (!(await isFile(place.path))) continue
    const elf = await readElf(place.path)
    // A library for another machine with the same name: the loader passes over it.
    if (elf?.target === main.elf.target) return { ...place, elf, by }
  }
  const through = by === main ? '' : ` through ${by.path}`
  throw new BuilderError('NOT_FOUND', {
    operation: 'closure',
    object: name,
    reason: `${main.path} needs this shared library${through}, and no folder that the loader searches has it`,
    hint: 'install the package that has it, or run ldconfig when it is installed',
  })
}

async function candidates(name: string, by: Loaded, search: LibrarySearch): Promise<Library[]> {
  if (name.includes('/')) return expand(name, by, search)
  const own = pathsOf(by).flatMap(([folder, object]) => expand(`${folder}/${name}`, object, search))
  const always = await realFolders(search.defaults)
  const found: Library[] = []
  for (const path of search.cached(name)) {
    const folder = await realpath(dirname(path)).catch(() => undefined)
    if (folder === undefined) continue
    const isDefault = always.includes(folder)
    if (isDefault && by.elf.noDefaultFolders) continue
    found.push({ path, seenAt: isDefault ? path : join(always[0] ?? folder, name) })
  }
  if (by.elf.noDefaultFolders) return [...own, ...found]
  return [...own, ...found, ...search.defaults.map((folder) => same(join(folder, name)))]
}

// DT_RUNPATH of the object alone; without one, DT_RPATH of the object and of those that led to it. An object that has a
// RUNPATH has no RPATH that counts.
function pathsOf(object: Loaded): [string, Loaded][] {
  if (object.elf.runpath.length > 0) return object.elf.runpath.map((folder) => [folder, object])
  const paths: [string, Loaded][] = []
  for (let owner: Loaded | undefined = object; owner; owner = owner.by) {
    if (owner.elf.runpath.length > 0) continue
    for (const folder of owner.elf.rpath) paths.push([folder, owner])
  }
  return paths
}

// $ORIGIN is the folder in which the loader saw the object, which in the new root may be that of a link.
function expand(path: string, object: Loaded, { defaults }: LibrarySearch): Library[] {
  const lib = defaults[0]?.replace(/^\/(usr\/)?/, '') ?? 'lib'
  const from = (origin: string) =>
    path.replace(/\$(?:ORIGIN\b|\{ORIGIN\})/g, () => origin).replace(/\$(?:LIB\b|\{LIB\})/g, () => lib)
  const [here, there] = [from(dirname(object.path)), from(dirname(object.seenAt))]
  // A relative folder means another place for every caller; $PLATFORM another one on every processor.
  if (!here.startsWith('/') || here.includes('$')) return []
  return [{ path: here, seenAt: there }]
}

function same(path: string): Library {
  return { path, seenAt: path }
}

async function realFolders(folders: readonly string[]): Promise<string[]> {
  const real = await Promise.all(folders.map((folder) => realpath(folder).catch(() => undefined)))
  return real.filter((folder) => folder !== undefined)
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
