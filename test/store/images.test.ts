import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { canonicalJson } from '../../sdk/image/config.js'
import { digestOf, hexOf } from '../../sdk/image/digest.js'
import { blobPath, hasBlob, putBlob } from '../../sdk/store/blobs.js'
import { createContainer, removeContainer } from '../../sdk/store/containers.js'
import {
  addImage,
  findImage,
  type Image,
  imageSize,
  listImages,
  removeImage,
  tagImage,
  untagImage,
} from '../../sdk/store/images.js'
import { readEntries } from '../../sdk/store/index-file.js'
import { hasLayer, layerBlob } from '../../sdk/store/layers.js'
import type { Store } from '../../sdk/store/store.js'
import { emptyStore, failure, makeImage, manifestOf, scratchConfig } from './fixture.js'

async function withImage(t: Parameters<typeof emptyStore>[0]) {
  const store = await emptyStore(t)
  return { store, ...(await makeImage(store, ['web'], { file: 'hello' })) }
}

const names = async (store: Store, { manifestDigest }: Image) =>
  (await listImages(store)).find((image) => image.manifestDigest === manifestDigest)?.names

test('an image is listed with what it has', async (t) => {
  const { store, image, container } = await withImage(t)
  assert.deepEqual(await listImages(store), [image])
  assert.deepEqual(image.names, ['localhost/web:latest'])
  assert.equal(image.id, hexOf(image.manifest.config.digest))
  assert.deepEqual(image.config.rootfs.diff_ids, container.layers)
  assert.equal(imageSize(image), image.manifest.layers[0]?.size)
})

test('the store is an OCI layout: descriptors carry name, size, type and platform', async (t) => {
  const { store, image } = await withImage(t)
  assert.deepEqual(readEntries(store), [
    {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: image.manifestDigest,
      size: image.manifestSize,
      platform: { os: 'linux', architecture: 'amd64' },
      annotations: { 'org.opencontainers.image.ref.name': 'localhost/web:latest' },
    },
  ])
})

test('an image is found by its name, ID, digest and what users make of them', async (t) => {
  const { store, image } = await withImage(t)
  for (const text of [
    'web',
    'web:latest',
    'localhost/web',
    'localhost/web:latest',
    image.id,
    image.id.slice(0, 3),
    `sha256:${image.id}`,
    image.manifestDigest,
    `web@${image.manifestDigest}`,
    `localhost/web:1@${image.manifestDigest}`,
  ])
    assert.equal((await findImage(store, text, 'from')).id, image.id, text)
})

test('a short name is the local image first, then the one from the usual registry', async (t) => {
  const store = await emptyStore(t)
  const hub = await makeImage(store, ['docker.io/library/web'], { file: 'hub' })
  assert.equal((await findImage(store, 'web', 'from')).id, hub.image.id)
  const local = await makeImage(store, ['web'], { file: 'local' })
  assert.equal((await findImage(store, 'web', 'from')).id, local.image.id)
})

for (const [text, hint] of [
  ['wep', /did you mean web\?/],
  ['localhost/wbe', /did you mean localhost\/web\?/],
  ['web:lates', /did you mean web:latest\?/],
  ['debian:12', /oci-archive:FILE/],
  [`web@sha256:${'0'.repeat(64)}`, /oci-archive:FILE/],
  ['0'.repeat(12), /builder images/],
  ['', /builder images/],
  ['Not A Name', /builder images/],
] as const)
  test(`no image ${JSON.stringify(text)}: ${hint.source}`, async (t) => {
    const { store } = await withImage(t)
    const error = await failure(findImage(store, text, 'from'))
    assert.equal(error.code, 'NOT_FOUND')
    assert.match(error.message, hint)
  })

test('the beginning of several IDs is an error that lists them', async (t) => {
  const store = await emptyStore(t)
  const seen = new Map<string, string>()
  const idOf = (author: string) => hexOf(digestOf(canonicalJson({ ...scratchConfig, author })))
  let twins: string[] = []
  for (let i = 0; twins.length === 0; i++) {
    const prefix = idOf(`${i}`).slice(0, 3)
    const twin = seen.get(prefix)
    if (twin !== undefined) twins = [twin, `${i}`]
    seen.set(prefix, `${i}`)
  }
  const empty = await createContainer(store, { config: scratchConfig })
  for (const author of twins)
    await addImage(store, await manifestOf(store, { ...empty, config: { ...scratchConfig, author } }), [])
  const error = await failure(findImage(store, idOf(twins[0] ?? '').slice(0, 3), 'rmi'))
  assert.equal(error.code, 'USAGE')
  for (const author of twins) assert.ok(error.message.includes(idOf(author).slice(0, 12)))
})

test('a name moves to the image that is given it; the other stays, nameless', async (t) => {
  const { store, image } = await withImage(t)
  const next = await makeImage(store, ['web', 'web:2'], { file: 'two' })
  assert.deepEqual(next.image.names, ['localhost/web:latest', 'localhost/web:2'])
  assert.deepEqual(await names(store, image), [])
  assert.equal(readEntries(store).length, 3)
})

test('adding the same image again adds no entry', async (t) => {
  const { store, image, container } = await withImage(t)
  for (const again of [[], ['web'], []]) await addImage(store, await manifestOf(store, container), again)
  assert.equal(readEntries(store).length, 1)
  assert.deepEqual(await names(store, image), ['localhost/web:latest'])
})

test('a nameless image gets a name, and loses it, and is still one image', async (t) => {
  const store = await emptyStore(t)
  const { image } = await makeImage(store, [], { file: 'x' })
  assert.deepEqual((await tagImage(store, image, 'quay.io/a/b:1')).names, ['quay.io/a/b:1'])
  assert.equal(readEntries(store).length, 1)
  await untagImage(store, 'quay.io/a/b:1')
  assert.deepEqual(await names(store, image), [])
  assert.equal((await failure(untagImage(store, 'quay.io/a/b:1'))).code, 'NOT_FOUND')
})

test('tagging an image that was removed is NOT_FOUND', async (t) => {
  const { store, image, container } = await withImage(t)
  await removeContainer(store, container)
  await removeImage(store, image)
  assert.equal((await failure(tagImage(store, image, 'x'))).code, 'NOT_FOUND')
})

test('removing an image takes its names, blobs and layer, but not what another image needs', async (t) => {
  const store = await emptyStore(t)
  const one = await makeImage(store, ['one', 'uno'], { file: 'same' })
  const [layer] = one.image.config.rootfs.diff_ids
  assert.ok(layer)
  await layerBlob(store, layer)
  const config = { ...one.container.config, author: 'another' }
  const two = await addImage(store, await manifestOf(store, { ...one.container, config }), ['two'])
  await removeContainer(store, one.container)
  await removeImage(store, one.image)
  assert.deepEqual(
    (await listImages(store)).map(({ id }) => id),
    [two.id],
  )
  assert.equal(hasBlob(store, one.image.manifestDigest), false)
  assert.equal(hasLayer(store, layer), true)
  await removeImage(store, two)
  assert.equal(hasLayer(store, layer), false)
  assert.equal(hasBlob(store, layer), false)
})

test('an image that a container uses is not removed, unless forced: then the container keeps its layers', async (t) => {
  const { store, image } = await withImage(t)
  const from = { name: 'web', id: image.id, manifestDigest: image.manifestDigest }
  const layers = image.config.rootfs.diff_ids
  const user = await createContainer(store, {
    name: 'user',
    from,
    layers,
    layerDescriptors: image.manifest.layers,
    config: image.config,
  })
  const error = await failure(removeImage(store, image))
  assert.equal(error.code, 'IN_USE')
  assert.match(error.message, /container user uses it.*builder rm user/)
  await removeImage(store, image, { force: true })
  assert.deepEqual(await listImages(store), [])
  for (const layer of user.layers) assert.ok(hasLayer(store, layer))
})

test('an image whose layer is not there is not added', async (t) => {
  const { store, container } = await withImage(t)
  const [descriptor] = container.layerDescriptors
  assert.ok(descriptor)
  const lost = { ...descriptor, digest: `sha256:${'1'.repeat(64)}` as const }
  const rootfs = { type: 'layers' as const, diff_ids: [lost.digest] }
  const config = { ...scratchConfig, rootfs }
  const bytes = await manifestOf(store, { ...container, config, layerDescriptors: [lost] })
  const error = await failure(addImage(store, bytes, ['bad']))
  assert.equal(error.code, 'NOT_FOUND')
  assert.match(error.message, /1111/)
  assert.equal(readEntries(store).length, 1)
})

for (const [title, code, harm] of [
  [
    'an altered manifest',
    'DIGEST',
    (store: Store, { manifestDigest }: Image) => writeFileSync(blobPath(store, manifestDigest), '{}'),
  ],
  [
    'an altered config',
    'DIGEST',
    (store: Store, { manifest }: Image) => writeFileSync(blobPath(store, manifest.config.digest), '{}'),
  ],
  ['no config', 'NOT_FOUND', (store: Store, { manifest }: Image) => rmSync(blobPath(store, manifest.config.digest))],
  ['an index.json that is none', 'INVALID', (store: Store) => writeFileSync(join(store.root, 'index.json'), '[]')],
] as const)
  test(`${title} is ${code}, naming the file`, async (t) => {
    const { store, image } = await withImage(t)
    harm(store, image)
    const error = await failure(findImage(store, 'web', 'from'))
    assert.equal(error.code, code)
    assert.ok(error.message.includes(store.root))
  })

for (const [title, layers] of [
  ['more layers than diff_ids', 2],
  ['fewer layers than diff_ids', 0],
] as const)
  test(`an image with ${title} is INVALID`, async (t) => {
    const { store, container } = await withImage(t)
    const [descriptor] = container.layerDescriptors
    assert.ok(descriptor)
    const bytes = await manifestOf(store, { ...container, layerDescriptors: Array(layers).fill(descriptor) })
    assert.equal((await failure(addImage(store, bytes, []))).code, 'INVALID')
  })

test('damaged images do not hide the others when somebody listens', async (t) => {
  const { store, image } = await withImage(t)
  const { image: whole } = await makeImage(store, ['whole'], { file: 'x' })
  writeFileSync(blobPath(store, image.manifestDigest), 'x')
  const heard: (readonly string[])[] = []
  const listed = await listImages(store, (_, names) => heard.push(names))
  assert.deepEqual([listed, heard], [[whole], [['localhost/web:latest']]])
  assert.equal((await failure(listImages(store))).code, 'DIGEST')
  assert.equal((await findImage(store, whole.id.slice(0, 6), 'from')).id, whole.id)
})

test('an index of several platforms is kept but is no image', async (t) => {
  const { store, image } = await withImage(t)
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: readEntries(store),
  }
  const digest = await putBlob(store, Buffer.from(JSON.stringify(index)))
  const own = JSON.parse(JSON.stringify(index))
  own.manifests.push({ mediaType: index.mediaType, digest, size: JSON.stringify(index).length })
  writeFileSync(join(store.root, 'index.json'), JSON.stringify(own))
  assert.deepEqual(await listImages(store), [image])
  await tagImage(store, image, 'again')
  assert.ok(readEntries(store).some((entry) => entry.digest === digest))
})
