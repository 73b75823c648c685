import { type FileHandle, open, rm } from 'node:fs/promises'
import { posix } from 'node:path'
import { Header, Pax } from 'tar'
import { asBuilderError, BuilderError } from '../errors.js'
import { compressionOf, decompress } from '../layer/compress.js'
import type { Store } from '../store/store.js'
import { temporaryPath } from '../store/temporary.js'
import { readRange, writeStream } from './file-stream.js'
import type { FileTree } from './tree.js'
import { broken, missing } from './verify.js'

interface Entry {
  readonly kind: 'file' | 'symlink' | 'hardlink' | 'other'
  readonly offset: number
  readonly size: number
  /** What a link points to. */
  readonly target: string
  /** How many entries have this name. */
  readonly times: number
}

/**
 * Reads a tar archive in place: its headers are walked once into a table of names and offsets, and only entries that
 * are asked for by their exact name are read, so no name in it can lead anywhere. Links are followed within the table.
 * Plain archives are read where they lie; compressed ones, pipes and sockets are first copied into the store's `tmp`.
 * Throws `NOT_FOUND`, and `INVALID` for what is not a whole tar archive.
 */
export async function openArchive(store: Store, path: string, name: string): Promise<FileTree> {
  return openTree(await openPlain(store, path, name), name)
}

/** The same for an archive that comes as a stream: it is copied into the store's `tmp`, for its list may come last. */
export async function receiveArchive(store: Store, stream: AsyncIterable<Uint8Array>, name: string): Promise<FileTree> {
  return openTree(await spool(store, stream, name), name)
}

async function openTree(handle: FileHandle, name: string): Promise<FileTree> {
  try {
    const table = await readTable(handle, (await handle.stat()).size, name)
    return tree(handle, table, name)
  } catch (error) {
    await handle.close()
    throw error
  }
}

function tree(handle: FileHandle, table: ReadonlyMap<string, Entry>, name: string): FileTree {
  return {
    name,
    async size(path) {
      return resolve(table, path, name)?.size
    },
    async stream(path) {
      const entry = resolve(table, path, name)
      if (!entry) throw missing(name, `it has no ${path}`)
      return readRange(handle, entry.offset, entry.size)
    },
    async [Symbol.asyncDispose]() {
      await handle.close()
    },
  }
}

/** Old `docker save` wrote a layer that several images share as a link to another image's layer.tar. */
function resolve(table: ReadonlyMap<string, Entry>, wanted: string, name: string): Entry | undefined {
  let path = wanted
  for (let hops = 0; hops < 8; hops++) {
    const entry = table.get(path)
    if (entry === undefined || entry.kind === 'other') return undefined
    if (entry.times > 1) throw broken(name, `it has ${path} ${entry.times} times`, 'make the archive again')
    if (entry.kind === 'file') return entry
    path = entry.kind === 'symlink' ? posix.join(posix.dirname(path), entry.target) : posix.normalize(entry.target)
    if (entry.target.startsWith('/') || path.startsWith('../')) throw unsafe(name, wanted, entry.target)
  }
  throw broken(name, `${wanted} is a link that leads in a circle`)
}

async function readTable(handle: FileHandle, end: number, name: string): Promise<ReadonlyMap<string, Entry>> {
  const table = new Map<string, Entry>()
  for await (const { header, offset } of headers(handle, end, name)) {
    const path = posix.normalize(header.path ?? '')
    const [size, target] = [header.size ?? 0, header.linkpath ?? '']
    const times = (table.get(path)?.times ?? 0) + 1
    table.set(path, { kind: kinds[header.type] ?? 'other', offset, size, target, times })
    if (table.size > entryLimit) throw broken(name, `it has more than ${entryLimit} entries`)
  }
  return table
}

/** Headers of real entries, with the records of PAX and of GNU tar that come before them applied. */
async function* headers(handle: FileHandle, end: number, name: string) {
  const block = Buffer.alloc(512)
  let [extended, shared, long]: [Pax | undefined, Pax | undefined, Partial<Pax>] = [undefined, undefined, {}]
  for (let at = 0; ; ) {
    if (at + 512 > end) throw truncated(name)
    await handle.read(block, 0, 512, at)
    const header = new Header(block, 0, extended, shared)
    if (header.nullBlock) return
    if (!header.cksumValid) throw broken(name, at === 0 ? 'it is not a tar archive' : `its header at ${at} is damaged`)
    const [offset, size] = [at + 512, header.size ?? 0]
    if (!Number.isSafeInteger(size) || offset + size > end) throw truncated(name)
    at = offset + Math.ceil(size / 512) * 512
    const text = () => readText(handle, offset, size, name)
    if (header.type === 'ExtendedHeader') extended = Pax.parse(await text(), extended)
    else if (header.type === 'GlobalExtendedHeader') shared = Pax.parse(await text(), shared, true)
    else if (header.type === 'NextFileHasLongPath') long = { ...long, path: upToNul(await text()) }
    else if (header.type === 'NextFileHasLongLinkpath') long = { ...long, linkpath: upToNul(await text()) }
    else {
      yield { header: Object.assign(header, long, namesIn(extended)), offset }
      ;[extended, long] = [undefined, {}]
    }
  }
}

/** Again, for what a header's own fields hold must not come before or after what a record says. */
function namesIn(extended: Pax | undefined): Partial<Pax> {
  const { path, linkpath } = extended ?? {}
  return { ...(path === undefined ? {} : { path }), ...(linkpath === undefined ? {} : { linkpath }) }
}

async function readText(handle: FileHandle, offset: number, size: number, name: string): Promise<string> {
  if (size > recordLimit) throw broken(name, `it has an extended header of ${size} bytes`)
  const buffer = Buffer.alloc(size)
  await handle.read(buffer, 0, size, offset)
  return buffer.toString()
}

function upToNul(text: string): string {
  return text.split('\0', 1)[0] as string
}

async function openPlain(store: Store, path: string, name: string): Promise<FileHandle> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      throw missing(name, 'there is no such file', 'check the path')
    throw asBuilderError(error, 'read image', name)
  })
  const found = await handle.stat()
  if (found.isDirectory()) {
    await handle.close()
    throw broken(name, 'it is a directory', 'read it as oci: or dir:')
  }
  if (found.isFile()) {
    const start = Buffer.alloc(512)
    const { bytesRead } = await handle.read(start, 0, 512, 0)
    if (compressionOf(start.subarray(0, bytesRead)) === 'none') return handle
  }
  try {
    return await spool(
      store,
      handle.createReadStream({ autoClose: false, ...(found.isFile() ? { start: 0 } : {}) }),
      name,
    )
  } finally {
    await handle.close()
  }
}

/** A stream, decompressed, in a file that has no name any more when it is filled, so that it goes with the process, however that ends. */
export async function spool(store: Store, stream: AsyncIterable<Uint8Array>, name: string): Promise<FileHandle> {
  const path = temporaryPath(store)
  const copy = await open(path, 'wx+', 0o600)
  try {
    await rm(path)
    await writeStream(copy, decompress(stream), 0)
    return copy
  } catch (error) {
    await copy.close()
    if (error instanceof BuilderError || (error as NodeJS.ErrnoException).syscall)
      throw asBuilderError(error, 'read image', name)
    throw new BuilderError('INVALID', {
      operation: 'read image',
      object: name,
      reason: 'its compression is damaged',
      cause: error,
    })
  }
}

const kinds: Readonly<Record<string, Entry['kind']>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  SymbolicLink: 'symlink',
  Link: 'hardlink',
}
const entryLimit = 1_000_000
const recordLimit = 1024 * 1024

function truncated(name: string): BuilderError {
  return broken(name, 'it ends in the middle: it is truncated', 'get it again')
}

function unsafe(name: string, path: string, target: string): BuilderError {
  const reason = `its entry ${path} is a link to ${target}, outside of the archive`
  return new BuilderError('UNSAFE', { operation: 'read image', object: name, reason })
}
