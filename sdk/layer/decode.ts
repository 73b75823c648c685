/**
 * Reads tar headers that others wrote. Sources: POSIX.1-2017 pax; GNU tar manual, "Basic Tar Format"; star(5).
 * Strings are bytes as latin1.
 */
import { BuilderError } from '../errors.js'
import { blockSize } from './header.js'
import { readable } from './names.js'

/** One header block, as it stands there. */
export interface Header {
  /** The type flag; NUL is given as `0`. */
  readonly flag: string
  readonly name: string
  readonly linkname: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes that follow, for the types that have content. */
  readonly size: number
  /** Nanoseconds since 1970. */
  readonly mtime: bigint
  readonly major: number
  readonly minor: number
}

/** Reads a header block; undefined for a block of zeros, which ends the archive. Throws `INVALID`. */
export function decodeHeader(block: Buffer): Header | undefined {
  if (block[0] === 0 && block.equals(zeros)) return undefined
  const bare = text(block, 0, 100)
  if (!checksumFits(block)) throw invalid(bare, 'the checksum of its header is wrong')
  const prefix = prefixOf(block)
  const name = prefix === '' ? bare : `${prefix}/${bare}`
  const flag = block[156] === 0 ? '0' : String.fromCharCode(block[156] as number)
  const field = (at: number, width: number, what: string) => number(block, at, width, name, what)
  const device = flag === '3' || flag === '4'
  const size = field(124, 12, 'size')
  if (size < 0) throw invalid(name, 'its size is negative')
  return {
    // Before ustar a directory was a file whose name ends with a slash.
    flag: block[156] === 0 && name.endsWith('/') ? '5' : flag,
    name,
    linkname: text(block, 157, 100),
    mode: field(100, 8, 'mode') & 0o7777,
    uid: id(field(108, 8, 'uid'), name),
    gid: id(field(116, 8, 'gid'), name),
    size,
    mtime: BigInt(field(136, 12, 'mtime')) * 1_000_000_000n,
    major: device ? field(329, 8, 'device number') : 0,
    minor: device ? field(337, 8, 'device number') : 0,
  }
}

/** A numeric field: octal, or GNU's base 256 with the top bit set. Throws `INVALID`. */
export function number(block: Buffer, at: number, width: number, name: string, what: string): number {
  const first = block[at] as number
  if (first & 0x80) return binary(block, at, width, name, what)
  let from = at
  const end = at + width
  while (from < end && isBlank(block[from])) from++
  let value = 0
  for (let i = from; i < end && !isBlank(block[i]); i++) {
    const digit = (block[i] as number) - 0x30
    if (digit < 0 || digit > 7) throw invalid(name, `its ${what} is not a number`)
    value = 8 * value + digit
  }
  return value
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20
}

/** Checks a user or group id; -1 would mean "leave as it is" to chown(2). Throws `INVALID`. */
export function id(value: number, name: string): number {
  if (value >= 0 && value < 0xffffffff) return value
  throw invalid(name, `its owner ${value} is not a possible id`)
}

export function invalid(name: string, reason: string): BuilderError {
  const hint = 'the layer is damaged: get it again'
  return new BuilderError('INVALID', { operation: 'unpack layer', object: readable(name), reason, hint })
}

function text(block: Buffer, at: number, width: number): string {
  const end = block.indexOf(0, at)
  return block.toString('latin1', at, end < 0 || end > at + width ? at + width : end)
}

/** GNU keeps times where POSIX has the prefix; star a shorter prefix and times. */
function prefixOf(block: Buffer): string {
  if (block[345] === 0) return ''
  if (block.toString('latin1', 257, 263) !== 'ustar\0') return ''
  return text(block, 345, block.toString('latin1', 508, 512) === 'tar\0' ? 131 : 155)
}

/** The checksum's own eight bytes count as spaces. Old tars summed signed bytes. */
function checksumFits(block: Buffer): boolean {
  const claimed = number(block, 148, 8, text(block, 0, 100), 'checksum')
  let sum = 8 * 0x20
  for (let i = 0; i < blockSize; i++) sum += block[i] as number
  for (let i = 148; i < 156; i++) sum -= block[i] as number
  if (claimed === sum) return true
  for (let i = 0; i < blockSize; i++) if (i < 148 || i >= 156) sum -= ((block[i] as number) >> 7) * 256
  return claimed === sum
}

function binary(block: Buffer, at: number, width: number, name: string, what: string): number {
  const negative = ((block[at] as number) & 0x40) !== 0
  let value = BigInt((block[at] as number) & 0x3f)
  for (let i = at + 1; i < at + width; i++) value = (value << 8n) | BigInt(block[i] as number)
  if (negative) value -= 1n << BigInt(8 * width - 2)
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))
    throw invalid(name, `its ${what} is too large`)
  return Number(value)
}

const zeros = Buffer.alloc(blockSize)
