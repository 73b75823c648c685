import type { Hash } from 'node:crypto'
import {
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lchownSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { idError, isMapped } from '../namespace/idmap.js'
import { getXattr, listXattrs, type Path, setXattr } from '../namespace/libc.js'
import type { ModeChange } from './chmod.js'
import { isCarried } from './xattr.js'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Copies a file's bytes to a new file, which only its owner can read so far, and feeds them to a hash. Throws system errors. */
export function copyContent(source: Path, target: Path, hash: Hash): void {
  const from = openSync(source, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const to = openSync(target, 'wx', 0o600)
    try {
      const { size, blocks } = fstatSync(from)
      const hasHoles = blocks * 512 < size
      let at = 0
      for (let n = readSync(from, buffer); n > 0; n = readSync(from, buffer)) {
        const chunk = buffer.subarray(0, n)
        hash.update(chunk)
        // Written at its place: what is left out becomes a hole again.
        const isHole = hasHoles && chunk.equals(zeros.subarray(0, n))
        for (let written = 0; !isHole && written < n; )
          written += writeSync(to, chunk, written, n - written, at + written)
        at += n
      }
      if (hasHoles) ftruncateSync(to, at)
    } finally {
      closeSync(to)
    }
  } finally {
    closeSync(from)
  }
}

const buffer = Buffer.allocUnsafe(1 << 20)
const zeros = Buffer.alloc(1 << 20)

/**
 * Gives a copy its owner, mode and extended attributes, in the order in which none undoes another: a change of owner
 * clears set-user-ID bits and capabilities (chown(2)). Throws as {@link ownerOf} does.
 */
export function copyAttributes(
  source: Path,
  target: Path,
  info: BigIntStats,
  { owner, mode }: { readonly owner?: Owner | undefined; readonly mode?: ModeChange | undefined },
): void {
  const { uid, gid } = ownerOf(source, info, owner)
  lchownSync(target, uid, gid)
  if (info.isSymbolicLink()) return
  const own = Number(info.mode) & 0o7777
  chmodSync(target, mode ? mode(own, info.isDirectory()) : own)
  for (const name of listXattrs(source)) {
    const value = isCarried(name) ? getXattr(source, name) : undefined
    if (value) setXattr(target, name, value)
  }
}

/** Who a copy will belong to; asked before anything is made. Throws `ID_MAP` for an owner outside the id map. */
export function ownerOf(source: Path, info: BigIntStats, owner: Owner | undefined): Owner {
  return mappedOwner(source.toString(), owner ?? { uid: Number(info.uid), gid: Number(info.gid) })
}

/** The owner of something that is to be made at a path. Throws `ID_MAP` for an owner outside the id map. */
export function mappedOwner(path: string, { uid, gid }: Owner): Owner {
  if (!isMapped('uid', uid) || !isMapped('gid', gid)) throw idError('copy', path, uid, gid)
  return { uid, gid }
}

/** Makes a directory with mode 0755. Throws `ID_MAP`. */
export function makeFolder(path: Path, shown: string, { uid, gid }: Owner = { uid: 0, gid: 0 }): void {
  mappedOwner(shown, { uid, gid })
  mkdirSync(path)
  chownSync(path, uid, gid)
  chmodSync(path, 0o755)
}

/** A device: fifos and sockets are none. */
export function isSpecial(info: BigIntStats): boolean {
  return info.isCharacterDevice() || info.isBlockDevice()
}
