/**
 * A package's header as rpm keeps it in its database.
 * Source: https://rpm-software-management.github.io/rpm/manual/format_header.html and format_v4.html; tag numbers of rpmtag.h.
 */
import { damagedDatabase } from './damaged.js'
import type { PackageFacts } from './installed-package.js'

/** What a header says of its package; undefined for a public key, which rpm keeps as if it were one. Throws `INVALID`. */
export function packageOfHeader(blob: Buffer, path: string): PackageFacts | undefined {
  const header = readHeader(blob, path)
  const name = header.text(tags.name)
  if (!name) throw damagedDatabase(path, 'a package has no name')
  if (name === 'gpg-pubkey') return undefined
  const epoch = header.number(tags.epoch)
  return present({
    type: 'rpm' as const,
    name,
    epoch,
    version: header.text(tags.version) ?? '',
    release: header.text(tags.release),
    arch: header.text(tags.arch) ?? 'noarch',
    ...sourceOf(header.text(tags.sourcePackage)),
    license: header.text(tags.license),
    vendor: header.text(tags.vendor),
    maintainer: header.text(tags.packager),
    summary: header.text(tags.summary),
    homepage: header.text(tags.url),
    size: header.number(tags.longSize) ?? header.number(tags.size),
    installed: timeOf(header.number(tags.installTime)),
    headerDigest: digestOf(header),
  })
}

const tags = {
  sha1: 269,
  sha256: 273,
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  summary: 1004,
  installTime: 1008,
  size: 1009,
  vendor: 1011,
  license: 1014,
  packager: 1015,
  url: 1020,
  arch: 1022,
  sourcePackage: 1044,
  longSize: 5009,
} as const

interface Header {
  /** The first string of a tag. */
  text(tag: number): string | undefined
  /** The first number of a tag. */
  number(tag: number): number | undefined
}

interface Entry {
  readonly type: number
  readonly offset: number
}

/** Only what is asked for is read: counts that a hostile header claims are never believed. */
function readHeader(blob: Buffer, path: string): Header {
  const [count, length] = blob.length < 8 ? [0, 0] : [blob.readUInt32BE(0), blob.readUInt32BE(4)]
  const start = 8 + 16 * count
  if (count === 0 || count > mostEntries || start + length > blob.length)
    throw damagedDatabase(path, `a header of ${blob.length} bytes claims ${count} entries and ${length} bytes of data`)
  const data = blob.subarray(start, start + length)
  const entries = new Map<number, Entry>()
  for (let at = 8; at < start; at += 16) {
    const tag = blob.readUInt32BE(at)
    if (wanted.has(tag) && !entries.has(tag))
      entries.set(tag, { type: blob.readUInt32BE(at + 4), offset: blob.readUInt32BE(at + 8) })
  }
  return {
    text: (tag) => textAt(data, entries.get(tag), path),
    number: (tag) => numberAt(data, entries.get(tag), path),
  }
}

/** HEADER_TAGS_MAX of rpm's header.c. */
const mostEntries = 0xffff
const wanted = new Set<number>(Object.values(tags))

/** STRING, STRING_ARRAY and I18NSTRING all begin with a string that a zero byte ends. */
function textAt(data: Buffer, entry: Entry | undefined, path: string): string | undefined {
  if (!entry || ![6, 8, 9].includes(entry.type)) return undefined
  const end = entry.offset < data.length ? data.indexOf(0, entry.offset) : -1
  if (end < 0 || end - entry.offset > longestText) throw damagedDatabase(path, 'a text in a header does not end')
  const text = data.toString('utf8', entry.offset, end).trim()
  // What rpm itself shows for a tag that a spec file left empty.
  return text === '' || text === '(none)' ? undefined : text
}

const longestText = 64 * 1024

/** INT32 and INT64; as a double, which is exact to 8 PiB. */
function numberAt(data: Buffer, entry: Entry | undefined, path: string): number | undefined {
  if (!entry || (entry.type !== 4 && entry.type !== 5)) return undefined
  const width = entry.type === 4 ? 4 : 8
  if (entry.offset + width > data.length) throw damagedDatabase(path, 'a number in a header lies behind its data')
  return width === 4 ? data.readUInt32BE(entry.offset) : Number(data.readBigUInt64BE(entry.offset))
}

/** `bash-5.2.26-3.fc40.src.rpm`: name, version and release. */
function sourceOf(file: string | undefined): Pick<PackageFacts, 'source' | 'sourceVersion'> {
  const [, source, sourceVersion] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file ?? '') ?? []
  return source && sourceVersion ? { source, sourceVersion } : {}
}

/** RFC 3339 ends with the year 9999. */
function timeOf(seconds: number | undefined): string | undefined {
  if (seconds === undefined || seconds >= 253402300800) return undefined
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

function digestOf(header: Header): string | undefined {
  const [sha256, sha1] = [header.text(tags.sha256), header.text(tags.sha1)]
  if (sha256 && /^[0-9a-f]{64}$/.test(sha256)) return `sha256:${sha256}`
  return sha1 && /^[0-9a-f]{40}$/.test(sha1) ? `sha1:${sha1}` : undefined
}

/** Without the fields that are undefined. */
function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
