import { createHash, type Hash } from 'node:crypto'
import {
  type BigIntStats,
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { asBuilderError } from '../errors.js'
import { majorOf, minorOf, mknod, type Path, setMtime } from '../namespace/libc.js'
import { resolveInRoot } from '../namespace/rooted-path.js'
import type { ModeChange } from './chmod.js'
import { bytesOf, readable, systemPath } from './names.js'
import {
  copyAttributes,
  copyContent,
  isSpecial,
  makeFolder,
  mappedOwner,
  type Owner,
  ownerOf,
} from './transplant-file.js'
import { inTheWay, noDevice } from './transplant-refusal.js'

/** How files come into a root. */
export interface TransplantOptions {
  /** Owner of all that is placed; without it the source's own. */
  readonly owner?: Owner
  readonly mode?: ModeChange
  /** Modification time of all that is placed, in nanoseconds since 1970; without it the source's own. */
  readonly mtime?: bigint
  /**
   * Whether a path, relative to the source, is left out, and whether a left-out directory has to be entered all the same. `top`
   * is what {@link Transplant.contents} was told of the source.
   */
  readonly ignores?: (path: string, top: string, kept?: string) => boolean
  readonly enterIgnored?: boolean | ((path: string, top: string, kept?: string) => boolean)
  /** As on an empty root: links and files in the way are replaced, directories on the way become root's with 0755. */
  readonly link?: boolean
  readonly signal?: AbortSignal
}

/**
 * Copies files and trees into a root, which no link in it can lead out of. Directories that are there are filled, links to
 * directories followed; files are replaced; modes, times in nanoseconds, links, hard links and extended attributes are kept.
 *
 * Names are bytes: within, paths travel as latin1 (see names.ts); what callers give are ordinary strings.
 */
export class Transplant {
  readonly #hash: Hash = createHash('sha256')
  readonly #links = new Map<string, string>()
  readonly #times: [string, bigint][] = []
  readonly #laid = new Set<string>()
  #count = 0
  #top = ''
  #kept = ''
  #owner: Owner | undefined

  constructor(
    readonly root: string,
    readonly options: TransplantOptions,
  ) {
    this.#owner = options.owner
  }

  /**
   * Copies a file, or what a link leads to, to a path in the root. Throws `INVALID` where a directory is in the way.
   *
   * @param bytes - Path and last name of the destination, as latin1, where these are not UTF-8.
   */
  async file(
    source: string,
    destination: string,
    bytes?: { readonly path: string; readonly name: string },
  ): Promise<void> {
    const { parent, name } = this.#place(destination)
    const last = bytes?.name ?? bytesOf(name)
    await this.#entry(bytes?.path ?? bytesOf(source), `${bytesOf(parent)}/${last}`, last)
  }

  /**
   * Makes the directories of a path, each as it is below `base`, in a directory in the root; the names of a source with
   * `--parents`. Throws as {@link contents}.
   */
  async parents(base: string, path: string, destination: string): Promise<void> {
    let into = bytesOf(this.directory(destination))
    let from = bytesOf(base)
    for (const name of bytesOf(path).split('/').filter(Boolean)) {
      from = `${from}/${name}`
      // A link on the way is followed: what is below it is asked for.
      const info = statSync(systemPath(from), { bigint: true })
      into = this.#folder(from, `${into}/${name}`, name, info)
    }
  }

  /**
   * Copies what is in a directory into a directory in the root, which is made when it is not there.
   *
   * @param top - The directory's own path from the top of its context, for what is left out.
   * @param more - `kept`, what `--parents` keeps of its path; `bytes`, where it is as latin1.
   */
  async contents(
    source: string,
    destination: string,
    owners: 'given' | 'kept' = 'given',
    top = '',
    { kept = '', bytes = bytesOf(source) }: { readonly kept?: string; readonly bytes?: string } = {},
  ): Promise<void> {
    this.#top = top
    this.#kept = kept
    this.#owner = owners === 'given' ? this.options.owner : undefined
    await this.#fill(bytes, bytesOf(this.directory(destination)), '')
    this.#owner = this.options.owner
  }

  /** Whether a path in the root is a directory, links followed. */
  isDirectory(destination: string): boolean {
    if (this.options.link) return this.#laid.has(join(this.root, destination))
    return stat(resolveInRoot(this.root, destination))?.isDirectory() ?? false
  }

  /** Makes a symbolic link in the root unless something is there. */
  link(target: string, destination: string): void {
    const { parent, name } = this.#place(destination)
    const at = join(parent, name)
    if (stat(at)) return
    symlinkSync(target, at)
    if (this.options.mtime !== undefined) setMtime(at, this.options.mtime)
    this.#hash.update(`\0${destination}\0link ${target}\0`)
  }

  /** Makes a directory in the root with its parents, each 0755, and gives its path on the host. */
  directory(destination: string): string {
    if (this.options.link) return this.#layDirectory(destination)
    const path = resolveInRoot(this.root, destination)
    if (stat(path)?.isDirectory()) return path
    if (stat(path)) throw inTheWay('make a directory', destination, 'a file is in the way')
    const parent = this.directory(dirname(path.slice(this.root.length)))
    const made = join(parent, basename(path))
    makeFolder(made, destination, this.options.owner)
    if (this.options.mtime !== undefined) this.#times.push([bytesOf(made), this.options.mtime])
    return made
  }

  /** Sets the times of the directories that were made and gives the digest of all that was copied. */
  finish(): `sha256:${string}` {
    for (const [path, time] of this.#times.reverse()) setMtime(systemPath(path), time)
    return `sha256:${this.#hash.digest('hex')}`
  }

  /** The same without a look at what is there: as if it came from a layer of its own. */
  #layDirectory(destination: string): string {
    const owner = this.options.owner ?? { uid: 0, gid: 0 }
    let path = this.root
    for (const part of join('/', destination).split('/').filter(Boolean)) {
      path = join(path, part)
      if (this.#laid.has(path)) continue
      if (stat(path)?.isDirectory()) {
        chownSync(path, mappedOwner(path, owner).uid, owner.gid)
        chmodSync(path, 0o755)
      } else {
        rmSync(path, { force: true })
        makeFolder(path, destination, owner)
      }
      this.#laid.add(path)
      if (this.options.mtime !== undefined) this.#times.push([bytesOf(path), this.options.mtime])
    }
    return path
  }

  #place(destination: string): { parent: string; name: string } {
    return { parent: this.directory(dirname(destination)), name: basename(destination) }
  }

  async #fill(source: string, target: string, below: string): Promise<void> {
    for (const name of readdirSync(systemPath(source), { encoding: 'latin1' }).sort()) {
      const path = below === '' ? name : `${below}/${name}`
      const from = `${source}/${name}`
      const left = this.options.ignores?.(readable(path), this.#top, this.#kept) ?? false
      if (left && !(this.#enters(readable(path)) && stat(systemPath(from))?.isDirectory())) continue
      await this.#entry(from, `${target}/${name}`, path, left)
    }
  }

  #enters(path: string): boolean {
    const { enterIgnored = false } = this.options
    return typeof enterIgnored === 'function' ? enterIgnored(path, this.#top, this.#kept) : enterIgnored
  }

  async #entry(source: string, target: string, path: string, onlyBelow = false): Promise<void> {
    if (++this.#count % 512 === 0) await new Promise((resolve) => setImmediate(resolve))
    this.options.signal?.throwIfAborted()
    const info = lstatSync(systemPath(source), { bigint: true })
    ownerOf(systemPath(source), info, this.#owner)
    if (info.isDirectory()) return this.#tree(source, target, path, info, onlyBelow)
    if (info.isSocket()) return
    const [from, to] = [systemPath(source), systemPath(target)]
    if (stat(to)?.isDirectory()) {
      if (!this.options.link) throw inTheWay('copy', this.#inside(target), 'a directory is in the way')
      rmSync(to, { recursive: true })
    }
    this.#note(path, info)
    if (this.#links.get(inodeOf(info)) === target) return
    rmSync(to, { force: true })
    if (this.#linked(info, target)) return
    try {
      this.#make(from, to, info)
    } catch (error) {
      // Half a file, or one with another owner, must not be taken for the whole one.
      rmSync(to, { force: true })
      if (isSpecial(info) && (error as NodeJS.ErrnoException).code === 'EPERM') throw noDevice(this.#inside(target))
      throw asBuilderError(error, 'copy', this.#inside(target))
    }
  }

  #make(from: Path, to: Path, info: BigIntStats): void {
    if (info.isSymbolicLink()) symlinkSync(readlinkSync(from, { encoding: 'buffer' }), to)
    else if (info.isFile()) copyContent(from, to, this.#hash)
    else mknod(to, Number(info.mode), majorOf(info.rdev), minorOf(info.rdev))
    copyAttributes(from, to, info, { owner: this.#owner, mode: this.options.mode })
    setMtime(to, this.options.mtime ?? info.mtimeNs)
  }

  async #tree(source: string, target: string, path: string, info: BigIntStats, onlyBelow: boolean): Promise<void> {
    if (onlyBelow && !stat(systemPath(target))) return this.#treeBelow(source, target, path)
    const into = onlyBelow ? this.#entered(target) : this.#folder(source, target, path, info)
    await this.#fill(source, into, path)
  }

  /** Makes a directory like another one; of one that is there it changes the attributes. Gives where it is. */
  #folder(source: string, target: string, path: string, info: BigIntStats): string {
    if (this.options.link && !stat(systemPath(target))?.isDirectory()) rmSync(systemPath(target), { force: true })
    const into = this.#entered(target)
    if (!stat(systemPath(into))) mkdirSync(systemPath(into))
    this.#note(path, info)
    // As buildah and BuildKit: a directory of the source gives its attributes to the one that is there; a link keeps its own.
    if (into === target) {
      copyAttributes(systemPath(source), systemPath(into), info, { owner: this.#owner, mode: this.options.mode })
      this.#times.push([into, this.options.mtime ?? info.mtimeNs])
    }
    return into
  }

  /** A path in the root where a directory is or may be made. */
  #entered(target: string): string {
    const there = stat(systemPath(target))
    const into = there?.isSymbolicLink() ? this.#followed(target) : target
    if (there && !stat(systemPath(into))?.isDirectory())
      throw inTheWay('copy', this.#inside(target), 'a file is in the way')
    return into
  }

  /** A directory that is left out is made only when something in it comes back. */
  async #treeBelow(source: string, target: string, path: string): Promise<void> {
    makeFolder(systemPath(target), this.#inside(target), this.#owner)
    await this.#fill(source, target, path)
    if (readdirSync(systemPath(target)).length === 0) rmSync(systemPath(target), { recursive: true })
  }

  /** Where a link in the root leads, as the container would read it. */
  #followed(target: string): string {
    const text = this.#inside(target)
    if (bytesOf(text) === target.slice(bytesOf(this.root).length)) return bytesOf(resolveInRoot(this.root, text))
    throw inTheWay('copy', text, 'a link is in the way, in a folder whose name is not UTF-8')
  }

  #inside(target: string): string {
    return readable(target.slice(bytesOf(this.root).length))
  }

  #linked(info: BigIntStats, target: string): boolean {
    if (info.nlink < 2n) return false
    const first = this.#links.get(inodeOf(info))
    if (first === undefined || !stat(systemPath(first))) this.#links.set(inodeOf(info), target)
    else linkSync(systemPath(first), systemPath(target))
    return first !== undefined && this.#links.get(inodeOf(info)) === first
  }

  #note(path: string, info: BigIntStats): void {
    const { uid, gid } = this.#owner ?? { uid: info.uid, gid: info.gid }
    const facts = `${info.mode.toString(8)} ${uid}:${gid} ${info.isFile() ? info.size : 0}`
    this.#hash.update(Buffer.from(`\0${path}\0${facts}\0`, 'latin1'))
  }
}

function inodeOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

function stat(path: string | Buffer) {
  return lstatSync(path, { throwIfNoEntry: false })
}
