import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Digest, digestOf } from '../../sdk/image/digest.js'
import { packLayer } from '../../sdk/layer/pack.js'
import { blobPath, readBlob } from '../../sdk/store/blobs.js'
import {
  beginLayer,
  hasLayer,
  layerBlob,
  layerDiff,
  layerDir,
  listLayers,
  readLayer,
  removeLayer,
} from '../../sdk/store/layers.js'
import type { Store } from '../../sdk/store/store.js'
import { emptyStore, failure } from './fixture.js'

const created = '2020-01-01T00:00:00Z'

/** A layer with one file, packed as its record says. */
async function makeLayer(store: Store, content = 'hello'): Promise<Digest> {
  await using layer = await beginLayer(store)
  writeFileSync(join(layer.diff, 'file'), content)
  const packed = await packLayer(layer.diff, { clamp: 1000 })
  await layer.finish({ ...packed, clamp: 1000, created })
  return packed.diffID
}

test('a finished layer is there under its diffID', async (t) => {
  const store = await emptyStore(t)
  const diffID = await makeLayer(store)
  assert.equal(readFileSync(join(layerDiff(store, diffID), 'file'), 'utf8'), 'hello')
  assert.deepEqual(await listLayers(store), [diffID])
  assert.equal((await readLayer(store, diffID)).clamp, 1000)
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

test('a layer that is not finished leaves nothing', async (t) => {
  const store = await emptyStore(t)
  {
    await using layer = await beginLayer(store)
    writeFileSync(join(layer.diff, 'file'), 'x')
  }
  assert.deepEqual(await listLayers(store), [])
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

test('the same layer made by many at once is one layer', async (t) => {
  const store = await emptyStore(t)
  const made = await Promise.all(Array.from({ length: 10 }, () => makeLayer(store)))
  assert.deepEqual(await listLayers(store), [made[0]])
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

test('what damage left in a layer’s place is replaced', async (t) => {
  const store = await emptyStore(t)
  const diffID = await makeLayer(store)
  await removeLayer(store, diffID)
  mkdirSync(join(layerDir(store, diffID), 'diff/half'), { recursive: true })
  assert.equal(hasLayer(store, diffID), false)
  assert.equal(await makeLayer(store), diffID)
  assert.deepEqual(readdirSync(layerDiff(store, diffID)), ['file'])
})

test('the blob is made again from the files, and kept', async (t) => {
  const store = await emptyStore(t)
  const diffID = await makeLayer(store)
  const blob = await layerBlob(store, diffID)
  assert.equal(blob.digest, diffID)
  assert.equal(blob.size, statSync(blobPath(store, diffID)).size)
  assert.equal(digestOf(await readBlob(store, diffID)), diffID)
  const { mtimeMs } = statSync(blobPath(store, diffID))
  await layerBlob(store, diffID)
  assert.equal(statSync(blobPath(store, diffID)).mtimeMs, mtimeMs)
})

for (const [title, content] of [
  ['other content', 'jello'],
  ['more content', 'hello'.repeat(2000)],
] as const)
  test(`an altered layer (${title}) gives no blob but an error that says so`, async (t) => {
    const store = await emptyStore(t)
    const diffID = await makeLayer(store)
    writeFileSync(join(layerDiff(store, diffID), 'file'), content)
    const error = await failure(layerBlob(store, diffID))
    assert.equal(error.code, 'DIGEST')
    assert.ok(error.message.includes(diffID))
    assert.match(error.message, /were altered/)
    assert.deepEqual(readdirSync(join(store.root, 'blobs/sha256')), [])
  })

test('a layer that is not there is NOT_FOUND', async (t) => {
  const store = await emptyStore(t)
  assert.equal((await failure(layerBlob(store, digestOf('')))).code, 'NOT_FOUND')
})

for (const record of [
  'x',
  '[]',
  '{}',
  '{"diffID":"sha256:1","size":1,"entries":1,"created":""}',
  JSON.stringify({ diffID: digestOf('other'), size: 1, entries: 1, created }),
  JSON.stringify({ diffID: digestOf(''), size: -1, entries: 1, created }),
  JSON.stringify({ diffID: digestOf(''), size: 1, entries: 1, created, root: {} }),
  JSON.stringify({ diffID: digestOf(''), size: 1, entries: 1, created, clamp: 'x' }),
])
  test(`a damaged layer.json is INVALID, naming the file: ${record.slice(0, 60)}`, async (t) => {
    const store = await emptyStore(t)
    const path = join(layerDir(store, digestOf('')), 'layer.json')
    mkdirSync(layerDiff(store, digestOf('')), { recursive: true })
    writeFileSync(path, record)
    const error = await failure(readLayer(store, digestOf('')))
    assert.equal(error.code, 'INVALID')
    assert.ok(error.message.includes(path))
  })
