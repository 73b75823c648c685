import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import type { Digest } from '../image/digest.js'
import { isOpaque } from '../namespace/overlay-marks.js'
import { type ContainerRecord, containerDir } from './containers.js'
import { hasLayer } from './layers.js'
import { lowersOf } from './mounts.js'
import type { Store } from './store.js'
import { upperDiff } from './upper.js'

/**
 * The files of an image or a container as its processes would see them, to be read only: nothing is mounted, and no
 * namespace is needed. Paths start at the root; links are followed as in the container and never leave it.
 */
export interface ImageFiles {
  /** Where a path leads when all links in it are followed; undefined when there is nothing. Throws `UNSAFE`, `SYSTEM`. */
  resolve(path: string): string | undefined
  /** Opens a regular file; undefined when there is none. Throws `UNSAFE`, `SYSTEM`. */
  open(path: string): ImageFile | undefined
  /** Names of the files in a folder, sorted; none when there is no such folder. Throws `UNSAFE`, `SYSTEM`. */
  names(path: string): readonly string[]
}

/** An open regular file of an image. */
export interface ImageFile extends Disposable {
  /** Where it is in the image. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Some bytes; fewer at the end of the file. */
  read(offset: number, length: number): Buffer
}

/** The files that layers (diffIDs, bottom first) make. Throws `NOT_FOUND` when one is not unpacked in the store. */
export function filesOfLayers(store: Store, layers: readonly Digest[]): ImageFiles {
  const lost = layers.find((diffID) => !hasLayer(store, diffID))
  if (lost === undefined) return filesOfFolders(lowersOf(store, layers))
  const hint = 'builder check tells what is missing; pull the image again'
  throw new BuilderError('NOT_FOUND', { operation: 'read layer', object: lost, reason: 'it is not in the store', hint })
}

/** The files of a container as they are now. Throws as {@link filesOfLayers}. */
export function filesOfContainer(store: Store, { id, layers }: ContainerRecord): ImageFiles {
  const dir = containerDir(store, id)
  const copy = join(dir, 'copy')
  // Where no overlay works, the container is this copy while it is mounted.
  if (lstatSync(copy, { throwIfNoEntry: false })?.isDirectory()) return filesOfFolders([copy])
  return filesOfFolders([upperDiff(dir), ...lowersOf(store, layers)])
}

/** Folders that lie over each other, the top one first, with overlayfs' marks for what is gone. */
export function filesOfFolders(folders: readonly string[]): ImageFiles {
  const find = (path: string) => guarded(path, () => findIn(folders, path))
  return {
    resolve: (path) => find(path)?.path,
    open(path) {
      const found = find(path)
      return found?.kind === 'file' ? guarded(path, () => openFile(found.path, found.place)) : undefined
    },
    names(path) {
      const found = find(path)
      return found?.kind === 'folder' ? guarded(path, () => namesIn(found.folders)) : []
    },
  }
}

type Found =
  | { readonly kind: 'folder'; readonly path: string; readonly folders: readonly string[] }
  | { readonly kind: 'file'; readonly path: string; readonly place: string }

/** path_resolution(7) with the image's root as the root directory, over several folders at once. */
function findIn(roots: readonly string[], path: string): Found | undefined {
  const way: Found[] = [{ kind: 'folder', path: '/', folders: roots }]
  const waiting = partsOf(path)
  let links = 0
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part === '..') {
      if (way.length > 1) way.pop()
      continue
    }
    const here = way.at(-1)
    if (here?.kind !== 'folder') return undefined
    const child = childOf(here, part)
    if (child === undefined) return undefined
    if (typeof child !== 'string') {
      way.push(child)
      continue
    }
    if (++links > 40) throw tooManyLinks(path)
    if (child.startsWith('/')) way.length = 1
    waiting.push(...partsOf(child))
  }
  return way.at(-1)
}

/** The parts of a path, last one first, so that the next one to walk is popped. */
function partsOf(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .reverse()
}

/** A folder's entry, a link's target as text. Source: Linux's Documentation/filesystems/overlayfs.rst, "Merged directories". */
function childOf({ path, folders }: Found & { kind: 'folder' }, name: string): Found | string | undefined {
  const merged: string[] = []
  for (const [i, folder] of folders.entries()) {
    const place = join(folder, name)
    const stat = lstatSync(place, { throwIfNoEntry: false })
    if (!stat) continue
    if (stat.isDirectory()) {
      merged.push(place)
      if (i < folders.length - 1 && isOpaque(Buffer.from(place))) break
      continue
    }
    if (merged.length > 0) break
    if (stat.isSymbolicLink()) return readlinkSync(place)
    return stat.isCharacterDevice() && stat.rdev === 0 ? undefined : { kind: 'file', path: join(path, name), place }
  }
  return merged.length > 0 ? { kind: 'folder', path: join(path, name), folders: merged } : undefined
}

/** Undefined for what is no regular file; a FIFO is not waited for. */
function openFile(path: string, place: string): ImageFile | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants
  const file = openSync(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
  try {
    const stat = fstatSync(file)
    // A process of the container may have put a link in the way since it was looked at.
    if (readlinkSync(`/proc/self/fd/${file}`) !== place) throw moved(path)
    if (stat.isFile()) return reader(file, path, stat.size)
  } catch (error) {
    closeSync(file)
    throw error
  }
  closeSync(file)
  return undefined
}

function reader(file: number, path: string, size: number): ImageFile {
  return {
    path,
    size,
    read(offset, length) {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)))
      let filled = 0
      for (let count = 1; filled < bytes.length && count > 0; filled += count)
        count = readSync(file, bytes, filled, bytes.length - filled, offset + filled)
      return filled === bytes.length ? bytes : bytes.subarray(0, filled)
    },
    [Symbol.dispose]: () => closeSync(file),
  }
}

function namesIn(folders: readonly string[]): readonly string[] {
  const names = new Map<string, boolean>()
  for (const folder of folders)
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (names.has(entry.name)) continue
      const gone = entry.isCharacterDevice() && lstatSync(join(folder, entry.name)).rdev === 0
      names.set(entry.name, !gone)
    }
  return [...names].flatMap(([name, isThere]) => (isThere ? [name] : [])).sort()
}

/** What a plain user may not see outside of the namespace is within reach inside. */
function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EPERM') throw error
    throw new BuilderError('SYSTEM', {
      operation: 'read file of image',
      object: path,
      reason: 'permission denied: it belongs to another id of the container',
      hint: 'run the command in builder unshare',
      cause: error,
    })
  }
}

function tooManyLinks(path: string): BuilderError {
  return new BuilderError('UNSAFE', {
    operation: 'read file of image',
    object: path,
    reason: 'it leads through more than 40 symbolic links',
    hint: 'check where the links in the image point',
  })
}

function moved(path: string): BuilderError {
  return new BuilderError('UNSAFE', {
    operation: 'read file of image',
    object: path,
    reason: 'it was replaced while it was opened',
    hint: 'try again when nothing works in the container',
  })
}
