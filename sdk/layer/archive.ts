import { createReadStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { asBuilderError, BuilderError } from '../errors.js'
import { type ApplyOptions, applyLayer } from './apply.js'
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
 * Unpacks an archive of a user into a new folder: owners, modes, times and extended attributes as it says, links as they
 * stand there, nothing outside the folder. It is read as a layer is, which trusts nothing.
 * Throws what {@link applyLayer} throws, with the archive's name before the entry's.
 */
export async function unpackArchive(
  file: string,
  folder: string,
  options: ApplyOptions & { readonly shown: string },
): Promise<void> {
  await mkdir(folder)
  const { shown, ...rest } = options
  const stream = createReadStream(file)
  // What stops before it reads would leave the file open, and nobody to hear of an error.
  stream.on('error', () => {})
  try {
    await applyLayer(decompress(stream), folder, rest)
  } catch (error) {
    throw inArchive(shown, error)
  } finally {
    stream.destroy()
  }
}

function inArchive(shown: string, error: unknown): BuilderError {
  const { code, object, reason, hint } = asBuilderError(error, 'unpack', shown)
  if (code === 'ABORTED') return asBuilderError(error, 'unpack', shown)
  const where = object === '' || object === '/' || object === shown ? reason : `${object}: ${reason}`
  const parts = { operation: 'unpack', object: shown, reason: where, cause: error }
  return new BuilderError(code, { ...parts, ...(hint === undefined ? {} : { hint: hint.replace('layer', 'archive') }) })
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
