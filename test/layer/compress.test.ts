import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Compression, compressionOf, decompress } from '../../sdk/layer/compress.js'
import { needs } from '../lane.js'
import { streamOf } from './tar-bytes.js'

const data = Buffer.concat([randomBytes(300_000), Buffer.alloc(700_000, 'content ')])

async function plain(bytes: Uint8Array, chunk = 10_000): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const piece of decompress(streamOf(bytes, chunk))) chunks.push(piece)
  return Buffer.concat(chunks)
}

const run = (program: string) => (bytes: Buffer) => execFileSync(program, ['-c'], { input: bytes, maxBuffer: 2 ** 26 })
const kinds: readonly { kind: Compression; compress: (bytes: Buffer) => Buffer }[] = [
  { kind: 'none', compress: (bytes) => bytes },
  { kind: 'gzip', compress: (bytes) => gzipSync(bytes) },
  { kind: 'zstd', compress: run('zstd') },
  { kind: 'xz', compress: run('xz') },
  { kind: 'bzip2', compress: run('bzip2') },
]

for (const { kind, compress } of kinds) {
  const programs = kind === 'none' || kind === 'gzip' ? [] : [kind]
  test(`${kind}: taken off, in chunks of any size`, async (t) => {
    if (!needs(t, ...programs)) return
    const packed = compress(data)
    assert.equal(compressionOf(packed), kind)
    for (const chunk of [1_000_000, 10_000, 100]) assert.ok((await plain(packed, chunk)).equals(data))
    assert.ok((await plain(compress(data.subarray(0, 10)), 1)).equals(data.subarray(0, 10)))
  })
  if (kind === 'none') continue
  test(`${kind}: several members count as one`, async (t) => {
    if (!needs(t, ...programs)) return
    const packed = Buffer.concat([compress(data.subarray(0, 5000)), compress(data.subarray(5000))])
    assert.ok((await plain(packed)).equals(data))
  })
  test(`${kind}: damaged, truncated and trailing data are refused`, async (t) => {
    if (!needs(t, ...programs)) return
    const packed = compress(data)
    const altered = Buffer.from(packed)
    altered.fill(0x55, 150_000, 150_100)
    const wrong = [
      altered,
      packed.subarray(0, -5),
      packed.subarray(0, 1000),
      Buffer.concat([packed, Buffer.from('junk')]),
    ]
    for (const bytes of wrong) await assert.rejects(plain(bytes), { code: 'INVALID', operation: 'decompress' })
  })
}

test('gzip: zeros after the end are padding, what comes after them is not', async () => {
  const packed = gzipSync(data)
  assert.ok((await plain(Buffer.concat([packed, Buffer.alloc(20_000)]))).equals(data))
  const hidden = Buffer.concat([packed, Buffer.alloc(20_000), Buffer.from('hidden')])
  await assert.rejects(plain(hidden), { code: 'INVALID', reason: 'other data follow its end' })
})

test('a program that is missing is named, with its package', async (t) => {
  if (!needs(t, 'xz')) return
  const packed = run('xz')(data)
  const path = process.env.PATH
  t.after(() => {
    process.env.PATH = path
  })
  process.env.PATH = '/nonexistent'
  await assert.rejects(plain(packed), {
    code: 'UNSUPPORTED',
    hint: 'install the package xz-utils (Debian) or xz (Fedora)',
  })
})

test('nothing, and less than a magic, is not compressed', async () => {
  assert.equal((await plain(Buffer.alloc(0))).length, 0)
  assert.ok((await plain(Buffer.from('ab'))).equals(Buffer.from('ab')))
})

for (const kind of ['none', 'gzip', 'xz'] as const)
  test(`${kind}: the source is let go when the reader stops early, and its error comes through`, async (t) => {
    if (!needs(t, ...(kind === 'xz' ? ['xz'] : []))) return
    const packed = kinds.find((it) => it.kind === kind)?.compress(data) ?? data
    let released = false
    async function* source(failure?: Error) {
      try {
        yield packed.subarray(0, 100_000)
        if (failure) throw failure
        yield packed.subarray(100_000)
      } finally {
        released = true
      }
    }
    for await (const _ of decompress(source())) break
    await new Promise((resolve) => setTimeout(resolve, 10))
    assert.ok(released)
    const failure = new Error('the line is dead')
    await assert.rejects(async () => {
      for await (const _ of decompress(source(failure)));
    }, failure)
  })
