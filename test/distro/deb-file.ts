/** Debian packages made by hand, byte by byte: what they hold is what a test says, also what dpkg-deb would never write. */
import { createHash } from 'node:crypto'

/** A member of a package. Directories end in `/`; parents are not made by themselves. */
export interface DebEntry {
  readonly path: string
  readonly content?: string
  readonly mode?: number
  /** A symbolic link to this. */
  readonly link?: string
  /** A hard link to this member. */
  readonly hard?: string
  /** A device 1:3. */
  readonly device?: boolean
  readonly uid?: number
  /** Seconds since 1970. */
  readonly mtime?: number
}

export interface DebSpec {
  readonly name: string
  readonly version?: string
  readonly architecture?: string
  /** Lines of its control file, beside those that every package has. */
  readonly fields?: readonly string[]
  readonly entries?: readonly DebEntry[]
  /** Maintainer scripts and the like, by name. */
  readonly control?: Readonly<Record<string, string>>
  /** When it was built, seconds since 1970. */
  readonly built?: number
}

/** When packages were built, unless they say so. */
export const debEpoch = 1_600_000_000

/** A package's file. Source: deb(5). */
export function debFile(spec: DebSpec): Buffer {
  const { entries = [], control = {}, built = debEpoch } = spec
  const sums = entries.filter(isFile).map(({ path, content = '' }) => `${md5(content)}  ${path}\n`)
  const files = { control: controlOf(spec), md5sums: sums.join(''), ...control }
  const own = Object.entries(files).map(([path, content]) => ({ path: `./${path}`, content, mode: 0o755 }))
  const data = entries.map((entry) => ({ ...entry, path: entry.path.startsWith('/') ? entry.path : `./${entry.path}` }))
  const parts = { 'debian-binary': Buffer.from('2.0\n'), 'control.tar': tar(own, built), 'data.tar': tar(data, built) }
  const members = Object.entries(parts).map(([name, bytes]) => {
    const head = `${name.padEnd(16)}${`${built}`.padEnd(12)}0     0     100644  ${`${bytes.length}`.padEnd(10)}\`\n`
    return Buffer.concat([Buffer.from(head), bytes, Buffer.from(bytes.length % 2 ? '\n' : '')])
  })
  return Buffer.concat([Buffer.from('!<arch>\n'), ...members])
}

/** Its control file. */
export function controlOf({ name, version = '1.0', architecture = 'all', fields = [] }: DebSpec): string {
  const usual = ['Maintainer: Tests <tests@localhost>', 'Description: for tests']
  return [`Package: ${name}`, `Version: ${version}`, `Architecture: ${architecture}`, ...fields, ...usual, ''].join(
    '\n',
  )
}

function isFile({ path, link, hard, device }: DebEntry): boolean {
  return !path.endsWith('/') && link === undefined && hard === undefined && !device
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

function tar(entries: readonly DebEntry[], built: number): Buffer {
  const members = entries.map((entry) => {
    const content = Buffer.from(entry.content ?? '')
    return Buffer.concat([header(entry, content.length, built), content, Buffer.alloc(-content.length & 511)])
  })
  return Buffer.concat([...members, Buffer.alloc(1024)])
}

/** Source: POSIX pax, "ustar Interchange Format". */
function header(entry: DebEntry, size: number, built: number): Buffer {
  const { path, link, hard, device, uid = 0, mtime = built } = entry
  const type = path.endsWith('/') ? '5' : link !== undefined ? '2' : hard !== undefined ? '1' : device ? '3' : '0'
  const mode = entry.mode ?? (type === '5' ? 0o755 : type === '2' ? 0o777 : 0o644)
  const block = Buffer.alloc(512)
  const put = (at: number, text: string) => block.write(text, at)
  const octal = (value: number, width: number) => value.toString(8).padStart(width, '0')
  put(0, path)
  put(
    100,
    `${octal(mode, 7)}\0${octal(uid, 7)}\0${octal(uid, 7)}\0${octal(size, 11)}\0${octal(mtime, 11)}\0        ${type}`,
  )
  put(157, link ?? hard ?? '')
  put(257, 'ustar\u000000')
  if (device) put(329, '0000001\u00000000003\0')
  put(
    148,
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
  )
  return block
}
