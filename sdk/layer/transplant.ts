import { createHash, type Hash } from 'node:crypto'
import {
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  fstatSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { BuilderError } from '../errors.js'
import { idError, isMapped } from '../namespace/idmap.js'
import { getXattr, listXattrs, majorOf, minorOf, mknod, setMtime, setXattr } from '../namespace/libc.js'
import { resolveInRoot } from '../namespace/rooted-path.js'
import type { ModeChange } from './chmod.js'
import { isCarried } from './xattr.js'

/** How files come into a root. */
export interface TransplantOptions {
  /** Owner of all that is placed; without it the source's own. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  readonly mode?: ModeChange
  /** Whether a path, relative to the source, is left out, and whether a left-out directory has to be entered all the same. */
  readonly ignores?: (path: string) => boolean
  readonly enterIgnored?: boolean
  readonly signal?: AbortSignal
}

/**
 * Copies files and trees into a root, which no link in it can lead out of. Directories that are there stay as they are and
 * are filled; files are replaced; modes, times in nanoseconds, links, hard links and extended attributes are kept.
 */
export class Transplant {
  readonly #hash: Hash = createHash('sha256')
  readonly #links = new Map<string, string>()
  readonly #times: [string, bigint][] = []
  readonly #buffer = Buffer.allocUnsafe(1 << 20)
  #count = 0
  #owner: TransplantOptions['owner']

  constructor(
    readonly root: string,
    readonly options: TransplantOptions,
  ) {
    this.#owner = options.owner
  }

  /** Copies a file, or what a link leads to, to a path in the root. Throws `INVALID` where a directory is in the way. */
  async file(source: string, destination: string): Promise<void> {
    const { parent, name } = this.#place(destination)
    await this.#entry(source, join(parent, name), name)
  }

  /** Copies what is in a directory into a directory in the root, which is made when it is not there. */
  async contents(source: string, destination: string, owners: 'given' | 'kept' = 'given'): Promise<void> {
    this.#owner = owners === 'given' ? this.options.owner : undefined
    await this.#fill(source, this.directory(destination), '')
    this.#owner = this.options.owner
  }

  /** Whether a path in the root is a directory, links followed. */
  isDirectory(destination: string): boolean {
    return stat(resolveInRoot(this.root, destination))?.isDirectory() ?? false
  }

  /** Makes a symbolic link in the root unless something is there. */
  link(target: string, destination: string): void {
    const { parent, name } = this.#place(destination)
    if (stat(join(parent, name))) return
    symlinkSync(target, join(parent, name))
    this.#hash.update(`\0${destination}\0link ${target}\0`)
  }

  /** Makes a directory in the root with its parents, each 0755, and gives its path on the host. */
  directory(destination: string): string {
    const path = resolveInRoot(this.root, destination)
    if (stat(path)?.isDirectory()) return path
    if (stat(path)) throw inTheWay('make a directory', destination, 'a file is in the way')
    const parent = this.directory(dirname(destination))
    const made = join(parent, basename(path))
    mkdirSync(made)
    const { uid, gid } = this.options.owner ?? { uid: 0, gid: 0 }
    chownSync(made, uid, gid)
    chmodSync(made, 0o755)
    return made
  }

  /** Sets the times of the directories that were made and gives the digest of all that was copied. */
  finish(): `sha256:${string}` {
    for (const [path, time] of this.#times.reverse()) setMtime(path, time)
    return `sha256:${this.#hash.digest('hex')}`
  }

  #place(destination: string): { parent: string; name: string } {
    return { parent: this.directory(dirname(destination)), name: basename(destination) }
  }

  async #fill(source: string, target: string, below: string): Promise<void> {
    const names = readdirSync(source, { encoding: 'latin1' }).sort()
    for (const latin1 of names) {
      const name = Buffer.from(latin1, 'latin1').toString()
      if (Buffer.from(name).toString('latin1') !== latin1) throw notUtf8(source, latin1)
      const path = below === '' ? name : `${below}/${name}`
      const left = this.options.ignores?.(path) ?? false
      const from = join(source, name)
      if (left && !(this.options.enterIgnored && lstatSync(from).isDirectory())) continue
      await this.#entry(from, join(target, name), path, left)
    }
  }

  async #entry(source: string, target: string, path: string, onlyBelow = false): Promise<void> {
    if (++this.#count % 512 === 0) await new Promise((resolve) => setImmediate(resolve))
    this.options.signal?.throwIfAborted()
    const info = lstatSync(source, { bigint: true })
    if (info.isDirectory()) return this.#tree(source, target, path, info, onlyBelow)
    if (info.isSocket()) return
    if (stat(target)?.isDirectory()) throw inTheWay('copy', target.slice(this.root.length), 'a directory is in the way')
    rmSync(target, { force: true })
    this.#note(path, info)
    if (this.#linked(info, target)) return
    if (info.isSymbolicLink()) symlinkSync(readlinkSync(source, { encoding: 'buffer' }), target)
    else if (info.isFile()) this.#content(source, target)
    else mknod(target, Number(info.mode), majorOf(info.rdev), minorOf(info.rdev))
    this.#attributes(source, target, info)
    setMtime(target, info.mtimeNs)
  }

  async #tree(source: string, target: string, path: string, info: BigIntStats, onlyBelow: boolean): Promise<void> {
    const there = stat(target)
    let into = target
    if (there?.isSymbolicLink()) into = resolveInRoot(this.root, target.slice(this.root.length))
    if (there && !stat(into)?.isDirectory())
      throw inTheWay('copy', target.slice(this.root.length), 'a file is in the way')
    if (!there && !onlyBelow) {
      mkdirSync(into)
      this.#note(path, info)
      this.#attributes(source, into, info)
      this.#times.push([into, info.mtimeNs])
    } else if (!there) {
      this.directory(into.slice(this.root.length))
    }
    await this.#fill(source, into, path)
  }

  #linked(info: BigIntStats, target: string): boolean {
    if (info.nlink < 2n) return false
    const key = `${info.dev}:${info.ino}`
    const first = this.#links.get(key)
    if (first === undefined) this.#links.set(key, target)
    else linkSync(first, target)
    return first !== undefined
  }

  #content(source: string, target: string): void {
    const from = openSync(source, 'r')
    try {
      const to = openSync(target, 'wx', 0o600)
      try {
        for (let n = readSync(from, this.#buffer); n > 0; n = readSync(from, this.#buffer)) {
          const chunk = this.#buffer.subarray(0, n)
          this.#hash.update(chunk)
          for (let written = 0; written < n; ) written += writeSync(to, chunk, written)
        }
      } finally {
        closeSync(to)
      }
      if (!fstatSync(from).isFile()) throw inTheWay('copy', source, 'it changed while it was read')
    } finally {
      closeSync(from)
    }
  }

  #attributes(source: string, target: string, info: BigIntStats): void {
    const { uid, gid } = this.#owner ?? { uid: Number(info.uid), gid: Number(info.gid) }
    if (!isMapped('uid', uid) || !isMapped('gid', gid)) throw idError('copy', source, uid, gid)
    lchownSync(target, uid, gid)
    if (info.isSymbolicLink()) return
    const own = Number(info.mode) & 0o7777
    chmodSync(target, this.options.mode ? this.options.mode(own, info.isDirectory()) : own)
    for (const name of listXattrs(source)) {
      const value = isCarried(name) ? getXattr(source, name) : undefined
      if (value) setXattr(target, name, value)
    }
  }

  #note(path: string, info: BigIntStats): void {
    const { uid, gid } = this.#owner ?? { uid: info.uid, gid: info.gid }
    this.#hash.update(`\0${path}\0${info.mode.toString(8)} ${uid}:${gid} ${info.isFile() ? info.size : 0}\0`)
  }
}

function stat(path: string) {
  return lstatSync(path, { throwIfNoEntry: false })
}

function inTheWay(operation: string, object: string, reason: string): BuilderError {
  return new BuilderError('INVALID', {
    operation,
    object,
    reason,
    hint: 'remove it first, or choose another destination',
  })
}

function notUtf8(folder: string, latin1: string): BuilderError {
  return new BuilderError('UNSUPPORTED', {
    operation: 'copy',
    object: `${folder}/${latin1}`,
    reason: 'its name is not UTF-8',
    hint: 'rename it, or bring it in as a tar archive with add',
  })
}
