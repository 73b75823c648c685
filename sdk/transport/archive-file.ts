import { randomUUID } from 'node:crypto'
import { link, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Header } from 'tar'
import { asBuilderError, BuilderError } from '../errors.js'
import { writeAt, writeStream } from './file-stream.js'
import { missing } from './verify.js'

/**
 * A tar archive that is being written, under a temporary name beside its own. Entries have the owner 0:0, the mode
 * 0644 and the time 0, so that equal contents give equal archives. Sizes above 8 GiB are written in base 256, as GNU
 * tar does and every reader in the field understands.
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

/** Starts an archive. Throws `NOT_FOUND` when its folder does not exist. */
export async function createArchive(path: string, name: string): Promise<ArchiveFile> {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
  const handle = await open(draft, 'wx').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? missing(name, 'its folder does not exist', 'make it first') : failure(error, name)
  })
  let end = 0
  let isOpen = true
  const close = async () => {
    if (isOpen) await handle.close()
    isOpen = false
  }
  return {
    reserve(entry, size) {
      const offset = end
      end += 512 + Math.ceil(size / 512) * 512
      return {
        async fill(stream) {
          await writeAt(handle, header(entry, 'File', size), offset)
          await writeStream(handle, stream, offset + 512)
        },
      }
    },
    async append(entry, stream) {
      const size = await writeStream(handle, stream, end + 512)
      await writeAt(handle, header(entry, 'File', size), end)
      end += 512 + Math.ceil(size / 512) * 512
    },
    async directory(entry) {
      end += 512
      await writeAt(handle, header(entry, 'Directory', 0), end - 512)
    },
    async finish({ replace }) {
      try {
        await handle.truncate(end + 1024)
        await handle.sync()
        await close()
        await publish(draft, path, replace, name)
      } catch (error) {
        throw failure(error, name)
      }
    },
    async [Symbol.asyncDispose]() {
      await close()
      await rm(draft, { force: true })
    },
  }
}

async function publish(draft: string, path: string, replace: boolean, name: string): Promise<void> {
  const there = await stat(path).catch(() => undefined)
  if (replace || there?.size === 0) return rename(draft, path)
  try {
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw taken(name)
    throw error
  }
}

/** The error for a file that is there already and may not be replaced. */
export function taken(name: string): BuilderError {
  const hint = 'write to a new file, or remove this one first'
  return new BuilderError('EXISTS', { operation: 'write image', object: name, reason: 'the archive exists', hint })
}

function header(path: string, type: 'File' | 'Directory', size: number): Buffer {
  const mode = type === 'File' ? 0o644 : 0o755
  const it = new Header({ path, type, size, mode, uid: 0, gid: 0, mtime: new Date(0) })
  it.encode()
  return it.block as Buffer
}

function failure(error: unknown, name: string): BuilderError {
  return asBuilderError(error, 'write image', name)
}
