import { createHash, type Hash } from 'node:crypto'
import { type BigIntStats, readlinkSync } from 'node:fs'
import type { Digest } from '../image/digest.js'
import { bytesOf, systemPath } from '../layer/names.js'
import type { Source } from '../layer/sources.js'
import { isCarried } from '../layer/xattr.js'
import { getXattr, listXattrs } from '../namespace/libc.js'
import { type FileDigests, readFileDigests, writeFileDigests } from '../store/file-digests.js'
import type { Store } from '../store/store.js'
import { type ContentOptions, type Found, walkSources } from './content-walk.js'
import { hashFiles } from './hash-files.js'

export type { ContentOptions } from './content-walk.js'

/** What a copy reads. */
export interface Content {
  /** Over names, modes, owners, link targets, extended attributes and content; times do not count. */
  readonly digest: Digest
  readonly files: number
  /** Of all files together. */
  readonly bytes: number
  /** Whether all that was read is still as it was: asked after a copy, whose result may be kept only then. */
  readonly unchanged: () => Promise<boolean>
}

/**
 * The digest of what a copy of these sources would place. Files that were read before, and have not changed since, are not
 * read again: inode, size and both times tell. Names need not be UTF-8; sockets do not count, for they are not copied.
 * Throws `SYSTEM` for what cannot be read, `ABORTED`.
 */
export async function contentDigest(
  store: Store,
  sources: readonly Source[],
  options: ContentOptions,
): Promise<Content> {
  const found = await walkSources(sources, options)
  await readContents(store, found, options.signal)
  const hash = createHash('sha256').update(format)
  const firsts = new Map<string, string>()
  for (const one of found) addEntry(hash, one, options, firsts)
  const bytes = found.reduce((sum, { size }) => sum + size, 0)
  const unchanged = async () => stampsOf(await walkSources(sources, options)) === stampsOf(found)
  return { digest: `sha256:${hash.digest('hex')}`, files: found.length, bytes, unchanged }
}

const format = 'builder-content/1\0'

/** Gives every file its content's digest: the known one, or the one of what is read now. */
async function readContents(store: Store, found: readonly Found[], signal: AbortSignal | undefined): Promise<void> {
  for (const [top, all] of groups(found)) {
    const files = all.filter(({ info }) => info.isFile())
    const keeps = !top.startsWith(`${bytesOf(store.root)}/`) && isMuch(files)
    const known: FileDigests = keeps ? readFileDigests(store, top) : new Map()
    const unknown = files.filter((file) => {
      const is = known.get(file.path)
      if (is?.stamp === stampOf(file.info)) file.content = is.content
      return file.content === undefined
    })
    const started = BigInt(Date.now()) * 1_000_000n
    const digests = await hashFiles(unknown, signal)
    for (const [i, file] of unknown.entries()) {
      const content = digests[i] as string
      file.content = content
      if (isSettled(file.info, started)) known.set(file.path, { stamp: stampOf(file.info), content })
      else known.delete(file.path)
    }
    if (keeps && unknown.length > 0) writeFileDigests(store, top, present(known, files))
  }
}

function isMuch(files: readonly Found[]): boolean {
  return files.length > fewFiles || files.reduce((sum, { size }) => sum + size, 0) > fewBytes
}

/** Below this reading the files again costs less than the list of what is known. */
const fewFiles = 200
const fewBytes = 4 << 20

function groups(found: readonly Found[]): Map<string, Found[]> {
  const byTop = new Map<string, Found[]>()
  for (const one of found) {
    const others = byTop.get(one.top)
    if (others) others.push(one)
    else byTop.set(one.top, [one])
  }
  return byTop
}

/** Without what is gone, unless it was only left out this time. */
function present(known: FileDigests, files: readonly Found[]): FileDigests {
  if (known.size <= files.length * 2) return known
  const here = new Set(files.map(({ path }) => path))
  return new Map([...known].filter(([path]) => here.has(path)))
}

function stampsOf(found: readonly Found[]): string {
  const hash = createHash('sha256')
  for (const { name, info } of found) hash.update(`${name}\0${stampOf(info)}\0${info.mode}\0`, 'latin1')
  return hash.digest('hex')
}

function stampOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino}.${size}.${mtimeNs}.${ctimeNs}`
}

/**
 * A file that changes twice within one tick of its file system's clock has one time for both; so a time so young tells
 * nothing. A tick is at most 10 ms where times have nanoseconds, and up to 2 s where they have none.
 */
function isSettled({ ctimeNs, mtimeNs }: BigIntStats, started: bigint): boolean {
  const tick = ctimeNs % 1_000_000_000n === 0n ? 2_100_000_000n : 50_000_000n
  return ctimeNs + tick < started && mtimeNs + tick < started
}

function addEntry(
  hash: Hash,
  { path, name, info, content }: Found,
  options: ContentOptions,
  firsts: Map<string, string>,
) {
  const own = Number(info.mode) & 0o7777
  const link = info.isSymbolicLink()
  const mode = link ? 0 : options.mode ? options.mode(own, info.isDirectory()) : own
  const owner = options.owners === 'kept' ? `${info.uid}:${info.gid}` : ''
  const facts = `${(Number(info.mode) >> 12).toString(8)} ${mode.toString(8)} ${owner}`
  hash.update(`${name}\0${facts}\0`, 'latin1')
  if (link) hash.update(`${readlinkSync(systemPath(path), 'latin1')}\0`, 'latin1')
  else if (info.isFile()) hash.update(`${content} ${linkedTo(name, info, firsts)}\0`, 'latin1')
  else if (!info.isDirectory()) hash.update(`${info.rdev}\0`)
  if (!link) addAttributes(hash, systemPath(path))
}

/** Hard links are placed as links to the first of them. */
function linkedTo(name: string, { nlink, dev, ino }: BigIntStats, firsts: Map<string, string>): string {
  if (nlink < 2n) return ''
  const first = firsts.get(`${dev}:${ino}`)
  if (first === undefined) firsts.set(`${dev}:${ino}`, name)
  return first ?? ''
}

function addAttributes(hash: Hash, path: string | Buffer): void {
  for (const name of listXattrs(path)) {
    const value = isCarried(name) ? getXattr(path, name) : undefined
    if (value) hash.update(`${name}=${value.toString('hex')}\0`, 'latin1')
  }
}
