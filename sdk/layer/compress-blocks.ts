import { availableParallelism } from 'node:os'
import { BuilderError } from '../errors.js'
import { Checksum, gzipEnd, gzipHeader } from './compress-gzip.js'
import { type CompressedBlock, type CompressPool, withPool } from './compress-pool.js'

/** How the bytes of a layer are packed. */
export type CompressionFormat = 'gzip' | 'zstd' | 'none'

export interface BlockOptions {
  readonly format: CompressionFormat
  /** gzip 1 to 9, zstd 1 to 22; {@link defaultLevel} when absent. */
  readonly level?: number
  /** At once; as many as there are processors when absent. It changes nothing about the bytes. */
  readonly threads?: number
}

/**
 * Raised whenever a change of the compressors alters what comes out; a test fixes the digests that belong to it. It is
 * part of the key under which a store remembers compressed layers.
 */
export const compressorVersion = 1

/** About what others' gzip does at level 6, in a third of the time. */
export const defaultLevel: Readonly<Record<CompressionFormat, number>> = { gzip: 3, zstd: 3, none: 0 }

/**
 * Compresses a stream with all processors. It is cut into blocks of 1 MiB, which are compressed by WebAssembly: the bytes
 * depend on nothing but the input, the format and the level - not on the machine, on Node, or on the number of threads,
 * as they would with node:zlib. gzip is one member, whose blocks may refer to the 32 KiB before them; zstd is a frame a
 * block. Memory is bounded by the number of threads. Throws `USAGE` for a level that is none, and what the stream throws.
 */
export async function* compressBlocks(
  stream: AsyncIterable<Uint8Array>,
  { format, level = defaultLevel[format], threads = availableParallelism() }: BlockOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  checkLevel(format, level)
  if (format === 'none') return yield* stream
  using pool = withPool(threads)
  if (format === 'gzip') yield gzipHeader
  const sum = new Checksum()
  for await (const { bytes, crc, size } of inOrder(stream, pool.pool, { format, level })) {
    sum.add(crc, size)
    yield bytes
  }
  if (format === 'gzip') yield gzipEnd(sum)
}

/** Throws `USAGE` for a level that the format does not have. */
export function checkLevel(format: CompressionFormat, level: number): void {
  const most = { gzip: 9, zstd: 22, none: Number.POSITIVE_INFINITY }[format]
  const least = format === 'none' ? 0 : 1
  if (Number.isInteger(level) && level >= least && level <= most) return
  const reason = `${format} has no level ${level}`
  throw new BuilderError('USAGE', { operation: 'compress', object: format, reason, hint: `use ${least} to ${most}` })
}

/** Keeps all threads busy, and gives the blocks in their order. */
async function* inOrder(
  stream: AsyncIterable<Uint8Array>,
  pool: CompressPool,
  how: { format: 'gzip' | 'zstd'; level: number },
): AsyncGenerator<CompressedBlock> {
  const pending: Promise<CompressedBlock>[] = []
  for await (const { block, window } of blocksOf(stream, how.format === 'gzip' ? windowSize : 0)) {
    const { result } = await pool.start({ ...how, block, window })
    pending.push(result)
    if (pending.length > pool.threads) yield (await pending.shift()) as CompressedBlock
  }
  for (const result of pending) yield await result
}

/** Blocks of a fixed size, each behind the end of the one before it: `window` bytes of `block` are of that. */
async function* blocksOf(stream: AsyncIterable<Uint8Array>, mostWindow: number) {
  let block = Buffer.allocUnsafeSlow(blockSize)
  let [window, filled, isFirst] = [0, 0, true]
  for await (const chunk of stream)
    for (let done = 0; done < chunk.length; ) {
      // Only when more comes, so that the last block is not an empty one.
      if (filled === window + blockSize) {
        const tail = Buffer.from(block.subarray(filled - mostWindow))
        yield { block, window }
        isFirst = false
        window = mostWindow
        block = Buffer.allocUnsafeSlow(window + blockSize)
        tail.copy(block)
        filled = window
      }
      const step = Math.min(chunk.length - done, window + blockSize - filled)
      block.set(chunk.subarray(done, done + step), filled)
      filled += step
      done += step
    }
  // zstd without a frame would be no zstd.
  if (filled > window || isFirst) yield { block: block.subarray(0, filled), window }
}

const blockSize = 1024 * 1024
/** As far back as gzip may refer. Source: RFC 1951, section 2. */
const windowSize = 32 * 1024
