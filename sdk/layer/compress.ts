import { spawn } from 'node:child_process'
import { Readable, type Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { asBuilderError, BuilderError } from '../errors.js'

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2'

/** How a file is compressed, by its first bytes: six are enough, fewer are taken as they are. */
export function compressionOf(firstBytes: Uint8Array): Compression {
  const start = Buffer.from(firstBytes.subarray(0, 6)).toString('latin1')
  return magics.find(([magic]) => start.startsWith(magic))?.[1] ?? 'none'
}

/**
 * Takes the compression off a stream, whichever it has; several compressed members one after the other count as one.
 * Throws `INVALID` for damaged, truncated or trailing data, `UNSUPPORTED` when the program for it is missing (zstd
 * under Node before 22.15, xz, bzip2).
 */
export async function* decompress(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = stream[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let length = 0
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    first.push(next.value)
    length += next.value.length
    if (length >= 6) break
  }
  const whole = continued(first, iterator)
  const compression = compressionOf(Buffer.concat(first))
  if (compression === 'none') yield* whole
  else if (compression === 'gzip') yield* gunzip(whole)
  else if (compression === 'zstd' && native) yield* through(whole, native(), 'zstd')
  else yield* byProgram(whole, compression)
}

/** What has been read already, then the rest. */
async function* continued(first: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* first
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

/** Node stops at zeros after the end, which are usual padding; whatever comes after them is not. */
async function* gunzip(input: AsyncIterable<Uint8Array>) {
  const transform = zlib.createGunzip({ chunkSize: outputSize })
  const seen = { bytes: 0, meaningful: 0 }
  yield* through(withoutPadding(input, seen), transform, 'gzip')
  if (seen.meaningful > transform.bytesWritten) throw damaged('gzip', new Error('other data follow its end'))
}

/** Passes a stream on and notes where its last byte is that is not zero. */
async function* withoutPadding(input: AsyncIterable<Uint8Array>, seen: { bytes: number; meaningful: number }) {
  for await (const chunk of input) {
    const last = chunk.findLastIndex((byte) => byte !== 0)
    if (last >= 0) seen.meaningful = seen.bytes + last + 1
    seen.bytes += chunk.length
    yield chunk
  }
}

async function* through(input: AsyncIterable<Uint8Array>, transform: Transform, compression: Compression) {
  const source = Readable.from(input, { objectMode: false })
  let failed: unknown
  source.on('error', (error) => {
    failed = error
    transform.destroy(error)
  })
  try {
    yield* source.pipe(transform) as AsyncIterable<Uint8Array>
    // The transform may have seen its end before the source's.
    if (!source.readableEnded) for await (const _ of source);
  } catch (error) {
    throw failed ?? damaged(compression, error)
  } finally {
    source.destroy()
    transform.destroy()
  }
}

async function* byProgram(input: AsyncIterable<Uint8Array>, compression: Exclude<Compression, 'none'>) {
  const child = spawn(compression, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] })
  const source = Readable.from(input, { objectMode: false })
  let failed: unknown
  let complaint = ''
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      failed ??= missing(compression, error)
      resolve(null)
    })
    child.once('close', resolve)
  })
  source.once('error', (error) => {
    failed ??= error
    child.kill('SIGKILL')
  })
  child.stderr.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-1000)
  })
  // The program may end before it has read everything: its exit code tells.
  child.stdin.on('error', () => {})
  source.pipe(child.stdin)
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>
    const code = await ended
    if (failed) throw failed
    // bzip2 says this and ends with 0.
    if (code !== 0 || complaint.includes('trailing garbage')) throw damaged(compression, new Error(complaint.trim()))
  } finally {
    child.kill('SIGKILL')
    source.destroy()
  }
}

function missing(compression: Exclude<Compression, 'none'>, cause: Error): BuilderError {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return asBuilderError(cause, `start ${compression}`)
  return new BuilderError('UNSUPPORTED', {
    operation: 'decompress',
    object: `${compression} data`,
    reason: `the program ${compression} is missing`,
    hint: `install the package ${packages[compression]}`,
    cause,
  })
}

/** The error for data that do not decompress. */
export function damaged(compression: Compression, cause: unknown): BuilderError {
  if (cause instanceof BuilderError) return cause
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : 'it is damaged'
  const hint = 'the file is damaged or incomplete: get it again'
  return new BuilderError('INVALID', { operation: 'decompress', object: `${compression} data`, reason, hint, cause })
}

const magics: readonly (readonly [magic: string, compression: Compression])[] = [
  ['\x1f\x8b', 'gzip'],
  ['\x28\xb5\x2f\xfd', 'zstd'],
  // RFC 8878: a skippable frame may come before the first; others write this one.
  ['\x50\x2a\x4d\x18', 'zstd'],
  ['\xfd7zXZ\0', 'xz'],
  ['BZh', 'bzip2'],
]
const packages = { gzip: 'gzip', zstd: 'zstd', xz: 'xz-utils (Debian) or xz (Fedora)', bzip2: 'bzip2' } as const

/** Bytes. Larger than zlib's 16 KiB, for each piece crosses to another thread and back. */
const outputSize = 256 * 1024
/** Node has zstd since 22.15. */
const native = (zlib as { createZstdDecompress?: () => Transform }).createZstdDecompress
