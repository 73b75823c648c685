/** Reads pax extended headers. Source: POSIX.1-2017 pax, "pax Extended Header". Strings are bytes as latin1. */
import { type Header, id, invalid } from './decode.js'

/** Records in the order in which they stand: GNU's first sparse format repeats keywords. */
export type PaxRecords = readonly (readonly [key: string, value: string])[]

/** Most bytes that one extended header, or a long name of GNU's, may have: more is an attack on memory. */
export const extensionLimit = 1024 * 1024

/** Takes the body of an extended header apart. Throws `INVALID`. */
export function parsePax(body: string, name: string): PaxRecords {
  const records: [string, string][] = []
  for (let at = 0; at < body.length; ) {
    const blank = body.indexOf(' ', at)
    const digits = blank < 0 ? '' : body.slice(at, blank)
    const end = at + Number(digits)
    const equals = body.indexOf('=', blank)
    const sound = /^[0-9]{1,7}$/.test(digits) && end <= body.length && body[end - 1] === '\n'
    if (!sound || equals <= blank + 1 || equals >= end) throw invalid(name, 'its pax header is malformed')
    records.push([body.slice(blank + 1, equals), body.slice(equals + 1, end - 1)])
    at = end
  }
  return records
}

/** What pax records change in a header, and what they add to it. */
export interface Extended {
  readonly header: Header
  /** Sorted as they came, the later of two values counts. */
  readonly xattrs: ReadonlyMap<string, string>
}

/** A header as its pax records have it. An empty value takes a record of the global header back. Throws `INVALID`. */
export function extend(header: Header, records: PaxRecords): Extended {
  if (records.length === 0) return { header, xattrs: nothing }
  let { name, linkname, uid, gid, size, mtime } = header
  let xattrs: Map<string, string> | undefined
  // The later of two records counts, and an empty one gives back what the header says.
  for (const [key, value] of records) {
    if (key === 'mtime') mtime = value === '' ? header.mtime : nanoseconds(value, name)
    else if (key === 'path') name = value || header.name
    else if (key === 'linkpath') linkname = value || header.linkname
    else if (key === 'size') size = natural(value, key, name) ?? header.size
    else if (key === 'uid') uid = id(natural(value, key, name) ?? header.uid, name)
    else if (key === 'gid') gid = id(natural(value, key, name) ?? header.gid, name)
    else if (key.startsWith(xattrKey)) {
      xattrs ??= new Map()
      xattrs.set(key.slice(xattrKey.length), value)
    }
  }
  if (name.includes('\0') || linkname.includes('\0')) throw invalid(name, 'its name holds a NUL byte')
  const { flag, mode, major, minor } = header
  return { header: { flag, name, linkname, mode, uid, gid, size, mtime, major, minor }, xattrs: xattrs ?? nothing }
}

/** A number of a record; undefined for an empty one. Throws `INVALID`. */
export function natural(value: string, key: string, name: string): number | undefined {
  if (value === '') return undefined
  if (!/^[0-9]{1,16}$/.test(value) || !Number.isSafeInteger(Number(value)))
    throw invalid(name, `its pax ${key} is not a number`)
  return Number(value)
}

function nanoseconds(value: string, name: string): bigint {
  const match = /^(-?)([0-9]{1,12})(?:\.([0-9]*))?$/.exec(value)
  if (!match) throw invalid(name, 'its pax mtime is not a time')
  const [, sign, seconds = '0', fraction = ''] = match
  const size = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return sign ? -size : size
}

const xattrKey = 'SCHILY.xattr.'
const nothing: ReadonlyMap<string, string> = new Map()
