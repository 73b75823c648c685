import { createReadStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ReadEntry, Unpack } from 'tar'
import { BuilderError } from '../errors.js'
import { compressionOf, decompress } from './compress.js'

/** Whether a file is a tar archive, plain or compressed in a way that {@link unpackArchive} reads. */
export async function isArchive(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0)
    const head = buffer.subarray(0, bytesRead)
    if (isTarHeader(head)) return true
    if (compressionOf(head) === 'none') return false
  } finally {
    await file.close()
  }
  return startsAsTar(path)
}

/**
 * Unpacks an archive of a user into a new folder: owners, modes and times as it says, nothing outside the folder.
 * Throws `UNSAFE` for an entry that would leave the folder, `INVALID` for a damaged archive.
 */
export async function unpackArchive(
  file: string,
  folder: string,
  options: { shown: string; signal?: AbortSignal },
): Promise<void> {
  await mkdir(folder)
  const refused: BuilderError[] = []
  const unpack = new Unpack({
    cwd: folder,
    preserveOwner: true,
    processUmask: 0,
    strict: true,
    filter: (path, entry) => accept(path, entry as ReadEntry, options.shown, refused),
  })
  try {
    await pipeline(
      Readable.from(decompress(createReadStream(file))),
      unpack,
      options.signal ? { signal: options.signal } : {},
    )
  } catch (cause) {
    options.signal?.throwIfAborted()
    throw refused[0] ?? damaged(options.shown, cause)
  }
  if (refused[0]) throw refused[0]
}

function accept(path: string, entry: ReadEntry, shown: string, refused: BuilderError[]): boolean {
  const leaves = (name: string) => name.split('/').includes('..')
  const bad = leaves(path) || (entry.type === 'Link' && leaves(entry.linkpath ?? ''))
  if (bad) refused.push(unsafe(shown, path))
  return !bad
}

/** Source: POSIX pax, "ustar Interchange Format": the magic at offset 257; old archives have a right checksum only. */
function isTarHeader(head: Buffer): boolean {
  if (head.length < 512) return false
  if (head.toString('latin1', 257, 262) === 'ustar') return true
  const field = Number.parseInt(head.toString('latin1', 148, 156), 8)
  const sum = head.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0)
  return head[0] !== 0 && sum === field
}

async function startsAsTar(path: string): Promise<boolean> {
  const stream = createReadStream(path)
  let head = Buffer.alloc(0)
  try {
    for await (const chunk of decompress(stream)) {
      head = Buffer.concat([head, chunk])
      if (head.length >= 512) break
    }
  } catch {
    return false
  } finally {
    stream.destroy()
  }
  return isTarHeader(head.subarray(0, 512))
}

function unsafe(shown: string, path: string): BuilderError {
  const reason = `its entry ${JSON.stringify(path)} would be written outside the destination`
  return new BuilderError('UNSAFE', { operation: 'unpack', object: shown, reason, hint: 'do not use this archive' })
}

function damaged(shown: string, cause: unknown): BuilderError {
  if (cause instanceof BuilderError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new BuilderError('INVALID', {
    operation: 'unpack',
    object: shown,
    reason,
    hint: 'fetch or make it again',
    cause,
  })
}
