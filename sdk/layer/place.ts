import { chmodSync, lchownSync, linkSync, symlinkSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { idError, isMapped } from '../namespace/idmap.js'
import { mknod, type Path, setMtime, setXattr } from '../namespace/libc.js'
import { invalid } from './decode.js'
import { FileContent } from './file-content.js'
import { Folders, isDeleted, throughLink } from './folders.js'
import { plainName, readable } from './names.js'
import type { Content, Member } from './read.js'
import { aufsPrefix, makeOpaque, makeWhiteout, opaqueMarker, whiteoutPrefix } from './whiteout.js'
import { isCarried } from './xattr.js'

/** What the layer says of its own root. */
export interface LayerRoot {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Puts the entries of a tar into a directory, as overlayfs reads a layer. Trusts nothing that an entry says. */
export class Placing {
  root: LayerRoot | undefined
  readonly #folders: Folders

  constructor(directory: string) {
    this.#folders = new Folders(directory)
  }

  /** Places one entry. Gives what takes its content, for a file. */
  place(member: Member): Content | undefined {
    const name = plainName(member.name, 'unpack layer')
    if (name.includes(whiteoutPrefix)) {
      const parts = name.split('/')
      const base = parts.pop() ?? ''
      const inside = parts.find((part) => part.startsWith(whiteoutPrefix))
      if (inside?.startsWith(aufsPrefix)) return undefined
      if (inside !== undefined) throw invalid(`/${name}`, `${readable(inside)} means a removal and cannot hold files`)
      if (base.startsWith(whiteoutPrefix)) return this.#remove(name, base)
    }
    const { uid, gid } = member
    if (!isMapped('uid', uid) || !isMapped('gid', gid)) throw idError('unpack layer', readable(`/${name}`), uid, gid)
    if (member.type === 'directory') return this.#directory(name, member)
    if (name === '') throw invalid('/', 'the root of a layer must be a directory')
    this.#folders.enter(name)
    return this.#leaf(name, member)
  }

  /** Call after the last entry. */
  finish(): void {
    this.#folders.finish()
  }

  /** A whiteout. It is about the layers below only, wherever in the tar it stands: OCI image-spec, layer.md. */
  #remove(name: string, base: string): undefined {
    const folders = this.#folders
    const parent = name.slice(0, -base.length)
    if (base === opaqueMarker) {
      folders.enter(name)
      makeOpaque(folders.path(parent.slice(0, -1)))
      return
    }
    if (base.startsWith(aufsPrefix)) return
    const removed = base.slice(whiteoutPrefix.length)
    if (removed === '' || removed === '.' || removed === '..')
      throw unsafe(name, 'it removes something that is not a file of its directory')
    folders.enter(name)
    const target = parent + removed
    folders.noteRemoval(target)
    const there = folders.stat(target)
    if (!there) makeWhiteout(folders.path(target))
    else if (there.isDirectory()) makeOpaque(folders.path(target))
  }

  #directory(name: string, member: Member): undefined {
    const { uid, gid, mode, mtime } = member
    const path = this.#folders.path(name)
    if (name === '') this.root = { mode, uid, gid }
    else {
      this.#folders.enter(name)
      if (!this.#folders.stat(name)?.isDirectory()) this.#make(name, () => this.#folders.make(name, 0o700))
    }
    lchownSync(path, uid, gid)
    chmodSync(path, mode)
    this.#folders.note(name, mtime, carried(member))
  }

  #leaf(name: string, member: Member): Content | undefined {
    const path = this.#folders.path(name)
    switch (member.type) {
      case 'file':
        return this.#make(name, () => new FileContent(path, member, carried(member)))
      case 'link':
        return this.#link(name, path, member)
      case 'symlink':
        if (member.linkname === '') throw invalid(`/${name}`, 'it is a symbolic link to nothing')
        this.#make(name, () => symlinkSync(Buffer.from(member.linkname, 'latin1'), path))
        break
      case 'fifo':
        this.#make(name, () => mknod(path, 0o010600))
        break
      default:
        this.#make(name, () => makeDevice(name, path, member))
    }
    lchownSync(path, member.uid, member.gid)
    if (member.type !== 'symlink') chmodSync(path, member.mode)
    for (const [key, value] of carried(member)) setXattr(path, key, Buffer.from(value, 'latin1'))
    setMtime(path, member.mtime)
    return undefined
  }

  /** Makes something new; what an earlier entry put there gives way to it. */
  #make<Made>(name: string, make: () => Made): Made {
    try {
      return make()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    this.#folders.clear(name)
    return make()
  }

  #link(name: string, path: Path, { linkname }: Member): undefined {
    const target = plainName(linkname, 'unpack layer')
    const link = this.#folders.linkOnTheWay(target)
    if (link !== undefined) throw throughLink(name, link)
    const stats = this.#folders.stat(target)
    const shown = `/${readable(target)}`
    if (!stats || isDeleted(stats))
      throw invalid(`/${name}`, `it is a hard link to ${shown}, which the layer does not have`)
    if (stats.isDirectory()) throw invalid(`/${name}`, `it is a hard link to ${shown}, which is a directory`)
    if (target === name) throw invalid(`/${name}`, 'it is a hard link to itself')
    this.#make(name, () => linkSync(this.#folders.path(target), path))
  }
}

/** The attributes that a layer may bring: what an overlay driver would read is not for it to say. */
function carried({ xattrs, type }: Member): ReadonlyMap<string, string> {
  if (xattrs.size === 0) return xattrs
  // Linux has user.* on files and directories only, xattr(7).
  const plain = type === 'file' || type === 'directory'
  return new Map([...xattrs].filter(([name]) => isCarried(name) && (plain || !name.startsWith('user.'))))
}

function makeDevice(name: string, path: Path, { type, major, minor }: Member): void {
  if (type === 'character' && major === 0 && minor === 0)
    throw invalid(`/${name}`, 'it is the character device 0:0, by which overlayfs marks a removed file')
  try {
    mknod(path, type === 'character' ? 0o020600 : 0o060600, major, minor)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EPERM') throw cause
    throw new BuilderError('UNSUPPORTED', {
      operation: 'unpack layer',
      object: readable(`/${name}`),
      reason: `it is a device (${major}:${minor}), and a user namespace does not let one be made`,
      hint: 'unpack this image as root, or build it without device nodes: runtimes make /dev themselves',
      cause,
    })
  }
}

function unsafe(name: string, reason: string): BuilderError {
  return new BuilderError('UNSAFE', { operation: 'unpack layer', object: readable(`/${name}`), reason })
}
