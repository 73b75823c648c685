import { type BigIntStats, lchownSync, lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { type Path, setMtime, setXattr } from '../namespace/libc.js'
import { invalid } from './decode.js'
import { bytesOf, readable, systemPath } from './names.js'
import { makeOpaque } from './whiteout.js'

/** What a directory gets when nothing more will be put into it. */
interface Last {
  readonly mtime: bigint
  readonly xattrs: ReadonlyMap<string, string>
}

/**
 * The directories of a layer that is being unpacked. Every parent of what is put there is known to be a directory of
 * this layer and not a link, so that no entry is written through a link that an earlier one made. Nobody else writes
 * in the folder of an unfinished layer.
 *
 * Names are bytes as latin1, relative, in their plain form; the root's is empty.
 */
export class Folders {
  readonly #root: string
  readonly #known = new Map<string, Last | undefined>([['', undefined]])
  readonly #removedBelow = new Set<string>()

  constructor(directory: string) {
    this.#root = bytesOf(directory)
  }

  path(name: string): Path {
    return systemPath(name === '' ? this.#root : `${this.#root}/${name}`)
  }

  stat(name: string): BigIntStats | undefined {
    return lstatSync(this.path(name), { bigint: true, throwIfNoEntry: false })
  }

  /**
   * Makes sure that a name's parent is a directory; one that no entry has spoken of gets mode 0755, root as owner and
   * the time 0. Throws `UNSAFE` for a link on the way, `INVALID` for another file.
   */
  enter(name: string, entry = name): void {
    const parent = parentOf(name)
    if (this.#known.has(parent)) return
    this.enter(parent, entry)
    const stats = this.stat(parent)
    if (stats?.isSymbolicLink()) throw throughLink(entry, parent)
    if (stats?.isDirectory()) this.#known.set(parent, undefined)
    else if (stats && !isDeleted(stats)) throw invalid(`/${entry}`, `/${readable(parent)} is not a directory`)
    else {
      if (stats) this.clear(parent)
      this.make(parent, 0o755)
      lchownSync(this.path(parent), process.geteuid?.() ?? 0, process.getegid?.() ?? 0)
      this.#known.set(parent, { mtime: 0n, xattrs: new Map() })
    }
  }

  /** Makes a directory; it hides what is below it when the layer also removes that. */
  make(name: string, mode: number): void {
    mkdirSync(this.path(name), mode)
    if (this.#removedBelow.has(name)) makeOpaque(this.path(name))
  }

  /** Notes that a directory is there, and what it gets in {@link finish}. */
  note(name: string, mtime: bigint, xattrs: ReadonlyMap<string, string>): void {
    this.#known.set(name, { mtime, xattrs })
  }

  /** Notes that the layer removes this name of the layers below. */
  noteRemoval(name: string): void {
    this.#removedBelow.add(name)
  }

  /** Removes what an earlier entry put there, with all that is in it. */
  clear(name: string): void {
    const path = this.path(name)
    if (this.stat(name)?.isDirectory()) {
      for (const child of readdirSync(path, 'latin1')) this.clear(`${name}/${child}`)
      rmdirSync(path)
      this.#known.delete(name)
    } else unlinkSync(path)
  }

  /** The first name on the way to this one that is a link, if any. */
  linkOnTheWay(name: string): string | undefined {
    const parent = parentOf(name)
    if (this.#known.has(parent)) return undefined
    return this.linkOnTheWay(parent) ?? (this.stat(parent)?.isSymbolicLink() ? parent : undefined)
  }

  /** Gives directories what must come last: access lists that new files would inherit, and times. */
  finish(): void {
    for (const [name, last] of this.#known) {
      if (!last) continue
      for (const [key, value] of last.xattrs) setXattr(this.path(name), key, Buffer.from(value, 'latin1'))
      setMtime(this.path(name), last.mtime)
    }
  }
}

export function throughLink(name: string, link: string): BuilderError {
  return new BuilderError('UNSAFE', {
    operation: 'unpack layer',
    object: `/${readable(name)}`,
    reason: `the way to it leads through /${readable(link)}, which is a symbolic link`,
    hint: 'do not use this image: no layer needs that',
  })
}

/** Whether a file is overlayfs' mark for one that the layer removes. */
export function isDeleted(stats: BigIntStats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0n
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}
