import {
  type BigIntStats,
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { BuilderError } from '../errors.js'
import { FileContent } from '../layer/file-content.js'
import { bytesOf, plainName, readable, systemPath } from '../layer/names.js'
import type { Content, Member } from '../layer/read.js'
import { idError, isMapped } from '../namespace/idmap.js'
import { mknod, setMtime } from '../namespace/libc.js'
import { resolveInRoot } from '../namespace/rooted-path.js'

/** How packages' files come into a root. */
export interface DebTreeOptions {
  /** The verb, for messages. */
  readonly operation: string
  /** Nanoseconds since 1970: what is younger gets this time. */
  readonly newest: bigint
  /** Whether a path, relative to the root, is left out. */
  readonly leavesOut: (path: string) => boolean
  /** Whether a file is placed at a path, relative to the root and without links on its way; throws when it is another's. */
  readonly mayPlace: (place: string, isThere: boolean) => boolean
}

/**
 * Puts the files of Debian packages into a root as dpkg does: directories that are there stay as they are, links to directories
 * are followed as the container reads them, files are replaced. Nothing an entry says can name a place outside the root.
 *
 * Names are bytes as latin1 (see names.ts). Throws `UNSAFE`, `INVALID`, `ID_MAP`, `UNSUPPORTED`, system errors.
 */
export class DebTree {
  readonly #root: string
  readonly #options: DebTreeOptions
  /** Where a folder's name leads, for those that are known to be there. */
  readonly #known = new Map<string, string>()
  /** What a package says of a folder that was left out or is not made yet. */
  readonly #said = new Map<string, Member>()
  /** Folders that were made because something in them was: a package may still say what they are. */
  readonly #implied = new Set<string>()
  readonly #times = new Map<string, bigint>()

  constructor(root: string, options: DebTreeOptions) {
    this.#root = bytesOf(root)
    this.#options = options
  }

  /** Places one entry; gives what takes the content of a file. Undefined, too, for what is left out. */
  place(member: Member): Content | undefined {
    const name = plainName(member.name, this.#options.operation)
    const { uid, gid } = member
    if (!isMapped('uid', uid) || !isMapped('gid', gid))
      throw idError(this.#options.operation, readable(`/${name}`), uid, gid)
    if (name === '') return undefined
    if (this.#options.leavesOut(readable(name))) {
      if (member.type === 'directory') this.#said.set(name, member)
      return undefined
    }
    if (member.type !== 'directory') return this.#leaf(name, member)
    this.#said.set(name, member)
    this.folder(name)
    return undefined
  }

  /** Where a folder is, which is made when it is not there. The path is latin1, on this machine. */
  folder(name: string): string {
    const known = this.#known.get(name)
    if (known !== undefined) {
      this.#describe(known, name)
      return known
    }
    const place = name === '' ? this.#root : this.#resolved(name)
    const there = stat(place)
    if (there && !there.isDirectory()) throw this.#inTheWay(name, 'a file is in the way of its folder')
    if (!there) this.#make(place)
    this.#known.set(name, place)
    this.#describe(place, name)
    return place
  }

  /** Makes a link unless something of that name is there. */
  link(name: string, target: string): void {
    const place = `${this.#root}/${name}`
    if (stat(place)) return
    this.#remember(this.#root)
    symlinkSync(target, systemPath(place))
    setMtime(systemPath(place), this.#options.newest)
  }

  /** Writes a file that no package brings: root's, 0644. */
  write(name: string, content: Uint8Array): void {
    const size = content.length
    const member: Member = { ...plain, name, size, mtime: this.#options.newest }
    const file = this.#file(name, member)
    file.write(Buffer.from(content), 0)
    file.end()
  }

  /** Removes a file, or a folder when it is empty. What is not there, or lies below a file, is fine. */
  remove(name: string): void {
    const place = this.#present(name)
    const there = place === undefined ? undefined : stat(place)
    if (place === undefined || !there || place === this.#root) return
    const isFolder = there.isDirectory()
    if (isFolder && readdirSync(systemPath(place)).length > 0) return
    this.#remember(parentOf(place))
    this.#times.delete(place)
    if (isFolder) rmdirSync(systemPath(place))
    else unlinkSync(systemPath(place))
    if (isFolder || there.isSymbolicLink()) this.#known.clear()
  }

  /** Where something is, or undefined; nothing is made on the way. */
  #present(name: string): string | undefined {
    const text = readable(name)
    if (bytesOf(text) !== name) return undefined
    return bytesOf(resolveInRoot(readable(this.#root), `/${text}`, { followLast: false }))
  }

  /** Folders get their times last, for what came into them has changed them. */
  finish(): void {
    for (const [place, time] of this.#times) setMtime(systemPath(place), time)
  }

  #leaf(name: string, member: Member): Content | undefined {
    const { parent, place } = this.#split(name)
    const there = stat(place)
    if (there?.isDirectory()) {
      // As dpkg: a link of a package does not take a directory's place.
      if (member.type === 'symlink') return undefined
      throw this.#inTheWay(name, 'a directory is in the way')
    }
    if (!this.#options.mayPlace(place.slice(this.#root.length + 1), there !== undefined)) return undefined
    if (member.type === 'file') return this.#file(name, member)
    this.#remember(parent)
    if (there) unlinkSync(systemPath(place))
    if (member.type === 'link') return this.#hardLink(name, place, member)
    this.#special(name, place, member)
    lchownSync(systemPath(place), member.uid, member.gid)
    if (member.type === 'symlink') this.#known.clear()
    else chmodSync(systemPath(place), member.mode)
    setMtime(systemPath(place), this.#clamped(member))
    return undefined
  }

  #file(name: string, member: Member): FileContent {
    const { parent, place } = this.#split(name)
    this.#remember(parent)
    if (stat(place)) unlinkSync(systemPath(place))
    return new FileContent(systemPath(place), { ...member, mtime: this.#clamped(member) }, none)
  }

  #hardLink(name: string, place: string, { linkname }: Member): undefined {
    const target = plainName(linkname, this.#options.operation)
    const from = this.#split(target).place
    if (!stat(from)?.isFile()) throw this.#inTheWay(name, `it is a hard link to /${readable(target)}, which is no file`)
    linkSync(systemPath(from), systemPath(place))
  }

  #special(name: string, place: string, member: Member): void {
    const path = systemPath(place)
    if (member.type === 'symlink') symlinkSync(Buffer.from(member.linkname, 'latin1'), path)
    else if (member.type === 'fifo') mknod(path, 0o010600)
    else
      throw new BuilderError('UNSUPPORTED', {
        operation: this.#options.operation,
        object: readable(`/${name}`),
        reason: 'the package brings a device, and images have none: runtimes make /dev themselves',
        hint: 'leave the package out with --exclude, or use --mode full as root',
      })
  }

  /** The folder that a name is in, and its path there. The last part of a name is never followed. */
  #split(name: string): { readonly parent: string; readonly place: string } {
    const at = name.lastIndexOf('/')
    const parent = this.folder(name.slice(0, Math.max(at, 0)))
    return { parent, place: `${parent}/${name.slice(at + 1)}` }
  }

  #resolved(name: string): string {
    const text = readable(name)
    if (bytesOf(text) !== name) throw this.#inTheWay(name, 'the name of its folder is not UTF-8')
    return bytesOf(resolveInRoot(readable(this.#root), `/${text}`))
  }

  /** `place` has no link on its way, but its parents may not be there. */
  #make(place: string): void {
    const parent = parentOf(place)
    const above = stat(parent)
    if (!above) this.#make(parent)
    else if (!above.isDirectory()) throw this.#inTheWay(parent.slice(this.#root.length + 1), 'it is not a directory')
    this.#remember(parent)
    mkdirSync(systemPath(place))
    chmodSync(systemPath(place), 0o755)
    this.#implied.add(place)
    this.#times.set(place, this.#options.newest)
  }

  /** Gives a folder that was made here what a package says of it. The first package counts. */
  #describe(place: string, name: string): void {
    const said = this.#implied.has(place) ? this.#said.get(name) : undefined
    if (!said) return
    this.#implied.delete(place)
    lchownSync(systemPath(place), said.uid, said.gid)
    chmodSync(systemPath(place), said.mode)
    this.#times.set(place, this.#clamped(said))
  }

  /** Something comes into a folder that was there before: it keeps its time, but the root, whose time says nothing. */
  #remember(place: string): void {
    if (this.#times.has(place)) return
    const info = stat(place)
    this.#times.set(place, place === this.#root || !info ? this.#options.newest : info.mtimeNs)
  }

  #clamped({ mtime }: Member): bigint {
    return mtime > this.#options.newest ? this.#options.newest : mtime
  }

  #inTheWay(name: string, reason: string): BuilderError {
    const hint = 'choose another base, or leave the package out with --exclude'
    return new BuilderError('INVALID', {
      operation: this.#options.operation,
      object: readable(`/${name}`),
      reason,
      hint,
    })
  }
}

function parentOf(place: string): string {
  return place.slice(0, place.lastIndexOf('/'))
}

function stat(place: string): BigIntStats | undefined {
  return lstatSync(systemPath(place), { bigint: true, throwIfNoEntry: false })
}

const none: ReadonlyMap<string, string> = new Map()
const plain = {
  type: 'file',
  linkname: '',
  mode: 0o644,
  uid: 0,
  gid: 0,
  major: 0,
  minor: 0,
  xattrs: none,
} as const
