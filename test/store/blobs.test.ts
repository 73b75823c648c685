import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Digest, digestOf } from '../../sdk/image/digest.js'
import {
  blobPath,
  blobSize,
  hasBlob,
  ingestBlob,
  listBlobs,
  putBlob,
  readBlob,
  removeBlob,
  streamBlob,
} from '../../sdk/store/blobs.js'
import { prune } from '../../sdk/store/garbage.js'
import { openStore, type Store } from '../../sdk/store/store.js'
import { tempDir } from '../lane.js'
import { emptyStore, failure } from './fixture.js'

const hello = Buffer.from('hello')
const digest = digestOf(hello)

async function* pieces(...parts: readonly (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield Buffer.from(part)
}

function leftovers(store: Store): string[] {
  return [...readdirSync(join(store.root, 'tmp')), ...readdirSync(join(store.root, 'blobs/sha256'))]
}

test('a blob that is put is read again', async (t) => {
  const store = await emptyStore(t)
  assert.equal(await putBlob(store, hello), digest)
  assert.equal(await putBlob(store, hello), digest)
  assert.deepEqual(await readBlob(store, digest), hello)
  assert.deepEqual(await listBlobs(store), [digest])
  assert.equal(blobSize(store, digest), 5)
  assert.equal(hasBlob(store, digest, 6), false)
})

test('a stream becomes a blob', async (t) => {
  const store = await emptyStore(t)
  const many = Array.from({ length: 100 }, (_, i) => Buffer.alloc(70_000, i))
  const expected = digestOf(Buffer.concat(many))
  assert.deepEqual(await ingestBlob(store, pieces(...many), { digest: expected }), {
    digest: expected,
    size: 7_000_000,
  })
  const read: Uint8Array[] = []
  for await (const chunk of streamBlob(store, expected)) read.push(chunk)
  assert.equal(digestOf(Buffer.concat(read)), expected)
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

test('an empty stream is a blob too', async (t) => {
  const store = await emptyStore(t)
  assert.equal((await ingestBlob(store, pieces(), { digest: digestOf(''), size: 0 })).size, 0)
})

for (const [title, stream, size, reason] of [
  ['other bytes', pieces('hellO'), 5, /5 bytes with the digest sha256:/],
  ['fewer bytes', pieces('hell'), 5, /4 bytes came instead of 5/],
  ['more bytes', pieces('hello', ' '), 5, /more than 5 bytes came/],
  ['other bytes of no known size', pieces('x'), undefined, /1 bytes with the digest/],
] as const)
  test(`${title} are refused, naming what was expected, and nothing is left`, async (t) => {
    const store = await emptyStore(t)
    const error = await failure(ingestBlob(store, stream, { digest, ...(size === undefined ? {} : { size }) }))
    assert.equal(error.code, 'DIGEST')
    assert.match(error.message, reason)
    assert.ok(error.message.includes(digest))
    assert.deepEqual(leftovers(store), [])
  })

test('a stream without end is cut off at the first byte too many, and closed', async (t) => {
  const store = await emptyStore(t)
  const seen = { chunks: 0, closed: false }
  async function* endless(): AsyncIterable<Uint8Array> {
    try {
      for (;;) {
        seen.chunks++
        yield Buffer.alloc(1000)
      }
    } finally {
      seen.closed = true
    }
  }
  assert.equal((await failure(ingestBlob(store, endless(), { digest, size: 5000 }))).code, 'DIGEST')
  assert.deepEqual(seen, { chunks: 6, closed: true })
})

test('what the stream throws is passed on, and nothing is left', async (t) => {
  const store = await emptyStore(t)
  async function* broken(): AsyncIterable<Uint8Array> {
    yield Buffer.from('he')
    throw new Error('the cable was cut')
  }
  assert.match((await failure(ingestBlob(store, broken(), { digest }))).message, /the cable was cut/)
  assert.deepEqual(leftovers(store), [])
})

test('a signal stops it, and nothing is left', async (t) => {
  const store = await emptyStore(t)
  const stop = new AbortController()
  async function* slow(): AsyncIterable<Uint8Array> {
    yield Buffer.from('he')
    stop.abort()
    yield Buffer.from('llo')
  }
  assert.equal((await failure(ingestBlob(store, slow(), { digest, signal: stop.signal }))).code, 'ABORTED')
  assert.deepEqual(leftovers(store), [])
})

test('an altered blob is refused by name, and mended when it is put again', async (t) => {
  const store = await emptyStore(t)
  await putBlob(store, hello)
  writeFileSync(blobPath(store, digest), 'jello')
  const error = await failure(readBlob(store, digest))
  assert.equal(error.code, 'DIGEST')
  assert.ok(error.message.includes(blobPath(store, digest)))
  await putBlob(store, hello)
  assert.deepEqual(await readBlob(store, digest), hello)
})

for (const [title, make, code] of [
  ['is missing', () => {}, 'NOT_FOUND'],
  ['is a folder', (path: string) => mkdirSync(path), 'INVALID'],
  ['is a link', (path: string) => symlinkSync('/etc/passwd', path), 'INVALID'],
  ['is a pipe', (path: string) => spawnSync('mkfifo', [path]), 'INVALID'],
  ['is too large', (path: string) => writeFileSync(path, Buffer.alloc(20)), 'INVALID'],
] as const)
  test(`a blob that ${title} is ${code}, naming the file`, async (t) => {
    const store = await emptyStore(t)
    make(blobPath(store, digest))
    const error = await failure(readBlob(store, digest, 10))
    assert.equal(error.code, code)
    assert.ok(error.message.includes(blobPath(store, digest)))
  })

test('no digest leads out of the store', async (t) => {
  const store = await emptyStore(t)
  assert.throws(() => blobPath(store, 'sha256:../../../etc/passwd' as Digest), { code: 'INVALID' })
})

test('removing gives the bytes that were freed', async (t) => {
  const store = await emptyStore(t)
  await putBlob(store, hello)
  assert.equal(await removeBlob(store, digest), 5)
  assert.equal(await removeBlob(store, digest), 0)
})

test('a full disk is said in plain words, leaves nothing, and can still be locked and pruned', async (t) => {
  const disk = join(tempDir(t), 'disk')
  mkdirSync(disk)
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status, 0)
  const store = await openStore({ root: join(disk, 'root'), runroot: join(disk, 'run') })
  await putBlob(store, Buffer.alloc(100_000))
  spawnSync('dd', ['if=/dev/zero', `of=${disk}/filler`, 'bs=4k'])
  const error = await failure(ingestBlob(store, pieces(Buffer.alloc(4_000_000)), { digest }))
  assert.equal(error.code, 'SYSTEM')
  assert.match(error.message, /the disk is full; free some space/)
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
  assert.equal((await prune(store)).blobs, 1)
  await putBlob(store, hello)
})
