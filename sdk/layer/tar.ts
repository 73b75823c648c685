import { readlinkSync } from 'node:fs'
import { BuilderError, type ErrorCode } from '../errors.js'
import { majorOf, minorOf, setMtime } from '../namespace/libc.js'
import { Chunks } from './chunks.js'
import { encodeHeader, endOfArchive, type TarEntry } from './header.js'
import { readable } from './names.js'
import { isWhiteout, type TreeEntry, walk } from './walk.js'
import { opaqueMarker, whiteoutPrefix } from './whiteout.js'
import { readXattrs, type Xattrs } from './xattr.js'

export interface TarOptions {
  /** Seconds since 1970; a file that is newer is written with this time (SOURCE_DATE_EPOCH). */
  readonly clamp?: number
  /** Also gives the files the clamped times, so that the directory afterwards is what its layer says. */
  readonly clampInPlace?: boolean
  /** Names to leave out with all that is below them: relative, without a slash in front, bytes as latin1. */
  readonly skip?: ReadonlySet<string>
  /** Whether the directory itself is a member (`./`), which carries its mode, owner and time. Default `none`. */
  readonly root?: 'entry' | 'none'
}

/**
 * A directory as the bytes of a layer's tar, in chunks of at most 1 MiB. The content of files is read straight into
 * the chunk.
 *
 * @param count - Its `entries` is raised for each member.
 * @param supply - Gives a buffer of 1 MiB for the next chunk; called when one is needed, after the last was taken.
 */
export function* tarChunks(
  directory: string,
  options: TarOptions,
  count: { entries: number },
  supply: () => Buffer,
): Generator<Buffer> {
  const out = new Chunks(supply)
  const packing: Packing = { options, links: new Map(), opaque: new Set() }
  for (const entry of walk(directory, options.skip)) {
    for (const member of membersOf(entry, packing)) {
      count.entries += 1
      yield* out.put(encodeHeader(member))
      if (member.size > 0) yield* out.content(entry)
    }
  }
  yield* out.put(endOfArchive)
  yield* out.rest()
}

interface Packing {
  readonly options: TarOptions
  /** First names of the files that have several, by inode: one file system holds the tree. */
  readonly links: Map<bigint, string>
  /** Names of the directories that hide what is below them. */
  readonly opaque: Set<string>
}

/** What an entry of the tree becomes: usually one member; two for an opaque directory; none for a socket. */
function membersOf(entry: TreeEntry, packing: Packing): readonly TarEntry[] {
  if (entry.kind === 'socket') return []
  const slash = entry.name.lastIndexOf('/') + 1
  const parent = entry.name.slice(0, slash)
  const base = entry.name.slice(slash)
  if (isWhiteout(entry)) return [marker(`${parent}${whiteoutPrefix}${base}`)]
  // fuse-overlayfs puts this file beside the attribute, which has already been packed.
  if (base === opaqueMarker && packing.opaque.has(parent)) return []
  const xattrs = readXattrs(entry.path)
  refuse(entry, base, xattrs)
  const members = entry.name === '' && packing.options.root !== 'entry' ? [] : [memberOf(entry, xattrs, packing)]
  if (!xattrs.opaque) return members
  const inside = entry.name === '' ? '' : `${entry.name}/`
  packing.opaque.add(inside)
  return [...members, marker(`${inside}${opaqueMarker}`)]
}

/** A whiteout or an opaque marker: an empty file about which only the name means anything. */
function marker(name: string): TarEntry {
  return { type: 'file', name, mode: 0, uid: 0, gid: 0, size: 0, mtime: 0n }
}

function memberOf(entry: TreeEntry, xattrs: Xattrs, packing: Packing): TarEntry {
  const { name, kind, mode, uid, gid } = entry
  const member = { name, mode, uid, gid, size: 0, mtime: clamped(entry, packing.options) }
  if (kind === 'directory') return { ...member, type: kind, name: `${name || '.'}/`, xattrs: xattrs.carried }
  if (entry.links > 1) {
    const first = packing.links.get(entry.inode)
    if (first !== undefined) return { ...member, type: 'link', linkname: first }
    packing.links.set(entry.inode, name)
  }
  const whole = { ...member, type: kind as TarEntry['type'], xattrs: xattrs.carried }
  if (kind === 'file') return { ...whole, size: entry.size }
  if (kind === 'symlink') return { ...whole, linkname: readlinkSync(entry.path, 'latin1') }
  return kind === 'fifo' ? whole : { ...whole, major: majorOf(entry.rdev), minor: minorOf(entry.rdev) }
}

function clamped(entry: TreeEntry, { clamp, clampInPlace }: TarOptions): bigint {
  if (clamp === undefined) return entry.mtime
  const limit = BigInt(clamp) * 1_000_000_000n
  if (entry.mtime <= limit) return entry.mtime
  if (clampInPlace) setMtime(entry.path, limit)
  return limit
}

function refuse(entry: TreeEntry, base: string, xattrs: Xattrs): void {
  if (base.startsWith(whiteoutPrefix))
    throw failure('INVALID', entry, 'in a layer a name that begins with .wh. means a removal', 'rename the file')
  if (xattrs.elsewhere !== undefined)
    throw failure(
      'UNSUPPORTED',
      entry,
      `its content is in a layer below (${xattrs.elsewhere})`,
      'copy it to a new name',
    )
  const odd = xattrs.carried.find(([name]) => name.includes('='))
  if (odd) throw failure('UNSUPPORTED', entry, `a tar cannot carry the name of its attribute ${readable(odd[0])}`)
}

function failure(code: ErrorCode, entry: TreeEntry, reason: string, hint?: string): BuilderError {
  const object = readable(`/${entry.name}`)
  return new BuilderError(code, { operation: 'pack layer', object, reason, ...(hint ? { hint } : {}) })
}
