import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { blobPath, listBlobs, putBlob } from '../../sdk/store/blobs.js'
import { checkStore } from '../../sdk/store/check.js'
import { createContainer, listContainers, removeContainer } from '../../sdk/store/containers.js'
import { prune } from '../../sdk/store/garbage.js'
import { findImage, listImages, tagImage, untagImage } from '../../sdk/store/images.js'
import { editEntries, readEntries } from '../../sdk/store/index-file.js'
import { beginLayer, layerBlob, layerDir, listLayers } from '../../sdk/store/layers.js'
import { emptyStore, failure, makeImage } from './fixture.js'

async function threeImages(t: Parameters<typeof emptyStore>[0]) {
  const store = await emptyStore(t)
  const named = await makeImage(store, ['named'], { file: '1' })
  const nameless = await makeImage(store, [], { file: '2' })
  const used = await makeImage(store, [], { file: '3' })
  for (const { container } of [named, nameless, used]) await removeContainer(store, container)
  const { id, manifestDigest, manifest, config } = used.image
  await createContainer(store, {
    from: { name: id, id, manifestDigest },
    layers: config.rootfs.diff_ids,
    layerDescriptors: manifest.layers,
    config,
  })
  return { store, named: named.image, nameless: nameless.image, used: used.image }
}

for (const [options, kept] of [
  [{ images: false }, ['named', 'nameless', 'used']],
  [{}, ['named', 'used']],
  [{ all: true }, ['used']],
] as const)
  test(`prune ${JSON.stringify(options)} keeps ${kept}`, async (t) => {
    const { store, ...images } = await threeImages(t)
    const pruned = await prune(store, options)
    const ids = (await listImages(store)).map(({ id }) => id)
    assert.deepEqual(
      ids,
      kept.map((name) => images[name].id),
    )
    assert.deepEqual(
      [pruned.images, pruned.layers, pruned.blobs],
      [3 - kept.length, 3 - kept.length, 2 * (3 - kept.length)],
    )
    assert.equal(pruned.bytes > 0, kept.length < 3)
    assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
    assert.equal((await listContainers(store)).length, 1)
    assert.deepEqual(await prune(store, options), { images: 0, layers: 0, blobs: 0, bytes: 0, temporary: 0, steps: 0 })
  })

test('blobs and layers that nothing refers to go; the blob of a layer that is needed stays', async (t) => {
  const { store, named } = await threeImages(t)
  const [layer] = named.config.rootfs.diff_ids
  assert.ok(layer)
  await layerBlob(store, layer)
  await putBlob(store, Buffer.from('stray'))
  {
    await using stray = await beginLayer(store)
    await stray.finish({ diffID: `sha256:${'1'.repeat(64)}`, size: 1, entries: 1, created: '' })
  }
  const { blobs, layers } = await prune(store, { images: false })
  assert.deepEqual([blobs, layers], [1, 1])
  assert.ok((await listBlobs(store)).includes(layer))
})

test('an image of an index is kept with the index', async (t) => {
  const { store, nameless } = await threeImages(t)
  const manifests = readEntries(store).filter(({ digest }) => digest === nameless.manifestDigest)
  const absent = { ...manifests[0], digest: `sha256:${'2'.repeat(64)}` }
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [...manifests, absent] }))
  const digest = await putBlob(store, bytes)
  await editEntries(store, 'test', (entries) => [
    ...entries.filter((entry) => entry.digest !== nameless.manifestDigest),
    { mediaType, digest, size: bytes.length, annotations: { 'org.opencontainers.image.ref.name': 'localhost/web:1' } },
  ])
  await prune(store)
  assert.ok((await listLayers(store)).includes(nameless.config.rootfs.diff_ids[0] as never))
  assert.deepEqual((await checkStore(store)).problems, [
    `list localhost/web:1: its image ${absent.digest} for linux/amd64 is missing`,
  ])
})

test('a damaged image that has a name stops it, for what it needs is not known; without its name it goes', async (t) => {
  const { store, named, used } = await threeImages(t)
  writeFileSync(blobPath(store, named.manifestDigest), 'x')
  const before = [await listBlobs(store), await listLayers(store)]
  const error = await failure(prune(store, { images: false }))
  assert.equal(error.code, 'DIGEST')
  assert.deepEqual([await listBlobs(store), await listLayers(store)], before)
  await untagImage(store, 'named')
  await prune(store)
  assert.deepEqual(
    (await listImages(store)).map(({ id }) => id),
    [used.id],
  )
  assert.deepEqual((await checkStore(store)).problems, [])
})

test('a damaged container stops it', async (t) => {
  const { store } = await threeImages(t)
  const [id = ''] = readdirSync(join(store.root, 'containers'))
  writeFileSync(join(store.root, 'containers', id, 'container.json'), '{')
  assert.equal((await failure(prune(store))).code, 'INVALID')
  assert.equal((await listLayers(store)).length, 3)
})

test('a nameless entry beside a named one of the same image does not cost the image', async (t) => {
  const { store, named } = await threeImages(t)
  await editEntries(store, 'test', (entries) => {
    const { annotations: _, ...bare } = entries[0] as (typeof entries)[0]
    return [...entries, bare]
  })
  await prune(store)
  assert.equal((await findImage(store, 'named', 'x')).id, named.id)
  await tagImage(store, named, 'again')
})

test('a damaged layer folder that nothing refers to goes', async (t) => {
  const store = await emptyStore(t)
  mkdirSync(join(layerDir(store, `sha256:${'3'.repeat(64)}`), 'half'), { recursive: true })
  assert.equal((await prune(store)).layers, 1)
})
