/**
 * Writes tar headers. Source: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header"; extended
 * attributes as star and Go's archive/tar write them. What fits ustar is ustar; only the rest gets a pax record.
 */
import { isAscii } from './names.js'

export const blockSize = 512

/** `link` is a hard link to an earlier name. */
export type EntryType = 'file' | 'link' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo'

/** A member of a tar archive. Strings are bytes as latin1. */
export interface TarEntry {
  readonly type: EntryType
  /** Relative; a directory's ends with `/`. */
  readonly name: string
  readonly linkname?: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of content that follow. */
  readonly size: number
  /** Nanoseconds since 1970. */
  readonly mtime: bigint
  readonly major?: number
  readonly minor?: number
  readonly xattrs?: readonly (readonly [name: string, value: string])[]
}

/** The header of an entry, whole blocks. Its own bytes, for archives are written side by side, a header in several steps. */
export function encodeHeader(entry: TarEntry): Buffer {
  const records = paxRecords(entry)
  const padded = Math.ceil(records.length / blockSize) * blockSize
  const length = padded === 0 ? blockSize : 2 * blockSize + padded
  const out = Buffer.alloc(length)
  if (padded > 0) {
    extensionBlock(records.length).copy(out)
    out.write(records, blockSize, 'latin1')
  }
  encodeBlock(out, length - blockSize, flags[entry.type], entry)
  return out
}

/** Bytes of zeros between a content of this size and the next header. Sizes may be over 8 GiB. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize
}

/** The two blocks of zeros that end an archive. */
export const endOfArchive: Readonly<Buffer> = Buffer.alloc(2 * blockSize)

/** The header of a pax header. Most are of a few sizes, for most hold a time and nothing else. */
function extensionBlock(size: number): Buffer {
  const known = extensionBlocks[size]
  if (known) return known
  const block = Buffer.alloc(blockSize)
  encodeBlock(block, 0, 'x', { name: 'PaxHeaders', mode: 0o644, uid: 0, gid: 0, size, mtime: 0n })
  if (size <= blockSize) extensionBlocks[size] = block
  return block
}

/** What ustar cannot say, as pax records sorted by keyword. */
function paxRecords(entry: TarEntry): string {
  const { name, linkname = '', uid, gid, size, mtime, xattrs = [] } = entry
  let records = ''
  for (const [key, value] of xattrs) records += paxRecord(`SCHILY.xattr.${key}`, value)
  if (gid > idLimit) records += paxRecord('gid', String(gid))
  if (linkname.length > 100 || !isAscii(linkname)) records += paxRecord('linkpath', linkname)
  if (mtime % billion !== 0n || mtime < 0n || mtime > latest) records += paxRecord('mtime', paxTime(mtime))
  if (!isAscii(name) || splitName(name) === undefined) records += paxRecord('path', name)
  if (size > octalLimit) records += paxRecord('size', String(size))
  if (uid > idLimit) records += paxRecord('uid', String(uid))
  return records
}

/** `length keyword=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3
  let length = rest + String(rest).length
  if (rest + String(length).length !== length) length += 1
  return `${length} ${key}=${value}\n`
}

/** Seconds with as many decimals as it takes. */
function paxTime(mtime: bigint): string {
  const size = mtime < 0n ? -mtime : mtime
  const sign = mtime < 0n ? '-' : ''
  const nanoseconds = Number(size % billion)
  if (nanoseconds === 0) return `${sign}${size / billion}`
  return `${sign}${size / billion}.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`
}

/** Where to cut a name into prefix and name (0: no prefix), or undefined when ustar has no room for it. */
function splitName(name: string): number | undefined {
  if (name.length <= 100) return 0
  const cut = name.lastIndexOf('/', Math.min(155, name.length - 2))
  return cut > 0 && name.length - cut - 1 <= 100 ? cut : undefined
}

/** A number that does not fit is written as 0: the pax record before says it. */
function encodeBlock(out: Buffer, at: number, flag: string, entry: Omit<TarEntry, 'type'>): void {
  const { name, linkname, mtime } = entry
  const cut = splitName(name)
  out.write(cut ? name.slice(cut + 1) : name, at, 100, 'latin1')
  octal(out, at + 100, 8, entry.mode)
  octal(out, at + 108, 8, entry.uid > idLimit ? 0 : entry.uid)
  octal(out, at + 116, 8, entry.gid > idLimit ? 0 : entry.gid)
  octal(out, at + 124, 12, entry.size > octalLimit ? 0 : entry.size)
  octal(out, at + 136, 12, mtime < 0n || mtime > latest ? 0 : Number(mtime / billion))
  out.write(flag, at + 156, 'latin1')
  if (linkname) out.write(linkname, at + 157, 100, 'latin1')
  out.write('ustar\x0000', at + 257, 'latin1')
  octal(out, at + 329, 8, entry.major ?? 0)
  octal(out, at + 337, 8, entry.minor ?? 0)
  if (cut) out.write(name, at + 345, cut, 'latin1')
  octal(out, at + 148, 7, checksum(out, at))
  out[at + 155] = space
}

/** Octal digits and a NUL. Divides, for sizes are beyond 32 bits. */
function octal(out: Buffer, at: number, width: number, value: number): void {
  let rest = value
  for (let i = at + width - 2; i >= at; i--) {
    out[i] = 48 + (rest % 8)
    rest = Math.floor(rest / 8)
  }
}

/** The sum of a header's bytes, the checksum field itself counted as spaces. */
function checksum(block: Buffer, at: number): number {
  let sum = 8 * space
  for (let i = at; i < at + blockSize; i++) sum += block[i] as number
  return sum
}

const space = 0x20
const billion = 1_000_000_000n
/** 11 octal digits: sizes to 8 GiB - 1, seconds to the year 2242. */
const octalLimit = 0o77777777777
const latest = BigInt(octalLimit) * billion
const idLimit = 0o7777777
const flags: Readonly<Record<EntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}
const extensionBlocks: Record<number, Buffer> = {}
