import { type FileHandle, link, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Header } from 'tar'
import { asBuilderError, BuilderError } from '../errors.js'
import type { Store } from '../store/store.js'
import { temporaryPath } from '../store/temporary.js'
import { readRange, writeAt, writeStream } from './file-stream.js'
import { hiddenPath } from './hidden.js'
import { missing } from './verify.js'

/**
 * A tar archive that is being written, under a hidden name beside its own. Entries have the owner 0:0, the mode 0644
 * and the time 0, so that equal contents give equal archives. Sizes above 8 GiB are written in base 256, as GNU tar
 * does and every reader in the field understands.
 */
export interface ArchiveFile extends AsyncDisposable {
  /** Keeps the place of an entry whose size is known; several may then be filled at once, in any order. */
  reserve(path: string, size: number): Slot
  /** Writes an entry whose size is known when the stream ends, behind all others; one at a time. */
  append(path: string, stream: AsyncIterable<Uint8Array>): Promise<void>
  directory(path: string): Promise<void>
  /** Ends the archive and gives it its name. With `replace: false`, throws `EXISTS` when the name is taken. */
  finish(options: { readonly replace: boolean }): Promise<void>
}

/** An entry's place. */
export interface Slot {
  /** Writes its content, which must have the size that was reserved. */
  fill(stream: AsyncIterable<Uint8Array>): Promise<void>
}

/**
 * Starts an archive. For a pipe or a device (`/dev/stdout`) it is made in the store's `tmp` and poured out at the end.
 * Throws `NOT_FOUND` when its folder does not exist.
 */
export async function createArchive(store: Store, path: string, name: string): Promise<ArchiveFile> {
  const target = await realpath(path).catch(() => path)
  const isStream = await leadsAway(target)
  const draft = isStream ? temporaryPath(store) : await hiddenPath(dirname(target), basename(target))
  const handle = await open(draft, 'wx+').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? missing(name, 'its folder does not exist', 'make it first') : failure(error, name)
  })
  const entries = newEntries(handle)
  return {
    ...entries,
    async finish({ replace }) {
      try {
        await handle.truncate(entries.end() + 1024)
        if (isStream) return await pour(handle, target)
        await handle.sync()
        await publish(draft, target, replace, name)
      } catch (error) {
        throw failure(error, name)
      }
    },
    async [Symbol.asyncDispose]() {
      await handle.close()
      await rm(draft, { force: true })
    },
  }
}

/** The error for a file that is there already and may not be replaced. */
export function taken(name: string): BuilderError {
  const hint = 'write to a new file, or remove this one first'
  return new BuilderError('EXISTS', { operation: 'write image', object: name, reason: 'the archive exists', hint })
}

async function leadsAway(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && !found.isFile() && !found.isDirectory()
}

function newEntries(handle: FileHandle) {
  let end = 0
  const take = (size: number) => {
    const offset = end
    end += 512 + Math.ceil(size / 512) * 512
    return offset
  }
  return {
    end: () => end,
    reserve(path: string, size: number): Slot {
      const offset = take(size)
      return {
        async fill(stream) {
          await writeAt(handle, entryHeader(path, 'File', size), offset)
          await writeStream(handle, stream, offset + 512)
        },
      }
    },
    async append(path: string, stream: AsyncIterable<Uint8Array>) {
      const size = await writeStream(handle, stream, end + 512)
      await writeAt(handle, entryHeader(path, 'File', size), take(size))
    },
    async directory(path: string) {
      await writeAt(handle, entryHeader(path, 'Directory', 0), take(0))
    },
  }
}

/** The header of an entry as every archive here has it. */
export function entryHeader(path: string, type: 'File' | 'Directory', size: number): Buffer {
  const mode = type === 'File' ? 0o644 : 0o755
  const it = new Header({ path, type, size, mode, uid: 0, gid: 0, mtime: new Date(0) })
  it.encode()
  return it.block as Buffer
}

async function pour(handle: FileHandle, target: string): Promise<void> {
  const out = await open(target, 'w')
  try {
    for await (const chunk of readRange(handle, 0, Number.POSITIVE_INFINITY)) await out.writeFile(chunk)
  } finally {
    await out.close()
  }
}

async function publish(draft: string, target: string, replace: boolean, name: string): Promise<void> {
  const there = await stat(target).catch(() => undefined)
  if (replace || there?.size === 0) return rename(draft, target)
  try {
    await link(draft, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw taken(name)
    throw error
  }
}

function failure(error: unknown, name: string): BuilderError {
  return asBuilderError(error, 'write image', name)
}
