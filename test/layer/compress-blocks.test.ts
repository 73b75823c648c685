import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { digestOf } from '../../sdk/image/digest.js'
import { decompress } from '../../sdk/layer/compress.js'
import { type BlockOptions, compressBlocks } from '../../sdk/layer/compress-blocks.js'
import { needs } from '../lane.js'
import { streamOf } from './tar-bytes.js'

// Golden: these bytes are what builder pushes. Another digest here is another digest of everybody's images, and asks for
// a new compressorVersion.
const golden = {
  gzip: 'sha256:3651a9320eb89520d2222b76ea324672848fd8e5df97feab6b90a3ed4e16f8b7',
  zstd: 'sha256:e001380da2942bf52366759b1802b504164c2d1a85c027e0d25885f716d97b1b',
}

for (const format of ['gzip', 'zstd'] as const) {
  test(`${format}: the bytes are the same on every machine`, async () => {
    assert.equal(digestOf(await compressed(sample(), { format })), golden[format])
  })

  test(`${format}: the bytes do not depend on the number of threads, nor on the chunks of the input`, async () => {
    const data = sample()
    const digests = new Set<string>()
    for (const [threads, chunk] of [
      [1, 1 << 20],
      [2, 10_000],
      [8, 777_777],
      [3, data.length],
    ] as const)
      digests.add(digestOf(await compressed(data, { format, threads }, chunk)))
    assert.equal(digests.size, 1)
  })

  test(`${format}: every level gives the content back, at every size around a block`, async () => {
    const data = sample()
    const sizes = [0, 1, 3, 4, 1000, 65_536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 5]
    for (const level of [1, 2, 3, 4, 5, 6, 7, 8, 9])
      for (const size of level % 3 === 0 ? sizes : [3 << 20]) {
        const part = data.subarray(0, size)
        const bytes = await compressed(part, { format, level })
        assert.ok((await plain(bytes)).equals(part), `level ${level}, ${size} bytes`)
      }
  })

  test(`${format}: content of any kind comes back`, async () => {
    for (const [kind, data] of Object.entries(kinds)) {
      for (const level of [1, 3, 9]) {
        const bytes = await compressed(data, { format, level })
        assert.ok((await plain(bytes)).equals(data), `${kind}, level ${level}`)
        assert.ok(bytes.length < data.length + 500, `${kind} grew to ${bytes.length}`)
      }
    }
  })

  test(`${format}: the program reads it, as one file`, async (t) => {
    const program = format
    if (!needs(t, program)) return
    const data = sample()
    const bytes = await compressed(data, { format })
    execFileSync(program, ['-t'], { input: bytes })
    const read = execFileSync(program, ['-dc'], { input: bytes, maxBuffer: 2 ** 26 })
    assert.ok(read.equals(data))
  })

  test(`${format}: an error of the input comes through, and a reader may stop early`, async () => {
    const failure = new Error('the disk is gone')
    async function* broken() {
      yield sample().subarray(0, 5 << 20)
      throw failure
    }
    await assert.rejects(async () => {
      for await (const _ of compressBlocks(broken(), { format }));
    }, failure)
    for await (const _ of compressBlocks(streamOf(sample(), 100_000), { format })) break
  })

  for (const level of [0, -1, 1.5, 23, Number.NaN])
    test(`${format}: level ${level} is refused`, async () => {
      await assert.rejects(compressed(Buffer.from('x'), { format, level }), {
        code: 'USAGE',
        reason: `${format} has no level ${level}`,
      })
    })
}

test('gzip: one member, without name and time, and blocks that use what came before them', async () => {
  const data = sample()
  const bytes = await compressed(data, { format: 'gzip' })
  assert.deepEqual([...bytes.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
  assert.equal(bytes.readUInt32LE(bytes.length - 4), data.length)
  assert.ok(gunzipSync(bytes).equals(data))
  const noise = Buffer.alloc(30_000)
  fill(noise, 7)
  const repeated = Buffer.alloc(3 << 20, noise)
  assert.ok((await compressed(repeated, { format: 'gzip' })).length < 60_000)
})

test('none: the bytes as they are', async () => {
  const data = sample().subarray(0, 100_000)
  assert.ok((await compressed(data, { format: 'none' })).equals(data))
})

async function compressed(data: Buffer, options: BlockOptions, chunk = 1 << 20): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const piece of compressBlocks(streamOf(data, chunk), options)) chunks.push(piece)
  return Buffer.concat(chunks)
}

async function plain(bytes: Buffer): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const piece of decompress(streamOf(bytes, 100_000))) chunks.push(piece)
  return Buffer.concat(chunks)
}

/** Numbers that look random and are the same everywhere: xorshift32. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

function fill(data: Buffer, seed: number): void {
  const next = numbers(seed)
  for (let at = 0; at < data.length; at++) data[at] = next() >>> 11
}

let made: Buffer | undefined

/** 4.5 MiB of words, noise, zeros and repetitions from near and far, made of whole numbers only. */
function sample(): Buffer {
  if (made) return made
  const next = numbers(42)
  const words = Array.from({ length: 600 }, () =>
    Buffer.from(
      next()
        .toString(36)
        .slice(next() % 4),
    ),
  )
  const data = Buffer.alloc(4_700_000)
  for (let at = 0; at < data.length; ) {
    const kind = next() % 100
    const length = 1 + (next() % (kind === 0 ? 20_000 : 40))
    if (kind < 2) fill(data.subarray(at, at + length), next() | 1)
    else if (kind < 4) at += next() % 2000
    else if (kind < 30) data.copy(data, at, Math.max(0, at - (next() % 50_000)), at)
    else at += words[next() % words.length]?.copy(data, at) ?? 0
    at += length
  }
  made = data
  return data
}

const kinds: Readonly<Record<string, Buffer>> = {
  zeros: Buffer.alloc(2 << 20),
  noise: bytesBy(1 << 21, (next) => next() >>> 9),
  'two letters': bytesBy(1 << 20, (next) => next() >>> 31),
  'a rare letter': bytesBy(1 << 20, (next) => (next() % 5000 === 0 ? 1 : 0)),
  'frequencies of powers of two': bytesBy(1 << 20, (next) => Math.clz32(next())),
  'every byte in order': bytesBy(1 << 20, (_, at) => at),
  'noise of six bits': bytesBy(1 << 20, (next) => next() & 63),
  'one byte': Buffer.from('a'),
}

function bytesBy(size: number, byteAt: (next: () => number, at: number) => number): Buffer {
  const next = numbers(size + 1)
  const data = Buffer.alloc(size)
  for (let at = 0; at < size; at++) data[at] = byteAt(next, at)
  return data
}
