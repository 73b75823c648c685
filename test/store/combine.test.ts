import assert from 'node:assert/strict'
import { test } from 'node:test'
import { iidText, metadataText } from '../../sdk/containerfile/metadata.js'
import { combine } from '../../sdk/store/combine.js'
import { createContainer, removeContainer } from '../../sdk/store/containers.js'
import { findImageOrList } from '../../sdk/store/find-image.js'
import { prune } from '../../sdk/store/garbage.js'
import { addImage, type Image, removeImage } from '../../sdk/store/images.js'
import { readEntries } from '../../sdk/store/index-file.js'
import { isList } from '../../sdk/store/read-list.js'
import type { Store } from '../../sdk/store/store.js'
import { adopt, emptyStore, makeImage, manifestOf, scratchConfig, write } from './fixture.js'

/** An image without a name. */
async function nameless(store: Store, architecture: string): Promise<Image> {
  const made = await createContainer(store, { config: { ...scratchConfig, architecture } })
  write(store, made, { file: architecture })
  const container = await adopt(store, made)
  const image = await addImage(store, await manifestOf(store, container), [])
  await removeContainer(store, container)
  return image
}

const bothIn = async (store: Store) => [await nameless(store, 'amd64'), await nameless(store, 'arm64')] as const

test('images become one list under its names, which others lose', async (t) => {
  const store = await emptyStore(t)
  const old = await makeImage(store, ['web'], { old: 'old' })
  await removeContainer(store, old.container)
  const list = await combine(store, await bothIn(store), ['web', 'r.example/web:1'])
  assert.deepEqual(list.names, ['localhost/web:latest', 'r.example/web:1'])
  assert.deepEqual(
    list.index.manifests.map(({ platform }) => platform?.architecture),
    ['amd64', 'arm64'],
  )
  assert.ok(isList(await findImageOrList(store, 'web', 'test')))
  assert.equal(readEntries(store).length, 3, 'two names, and the old image without one')
  await removeImage(store, old.image)
  await prune(store)
  assert.equal((await combine(store, await Promise.all([nameless(store, 'amd64')]), ['web'])).index.manifests.length, 1)
})

test('a list may have no name, and the same images give the same list', async (t) => {
  const store = await emptyStore(t)
  const both = await bothIn(store)
  const list = await combine(store, both, [])
  assert.equal((await combine(store, both, [])).digest, list.digest)
  assert.equal(readEntries(store).length, 1)
  assert.deepEqual((await findImageOrList(store, list.id, 'test')).names, [])
})

test('an image that has a name keeps it beside the list', async (t) => {
  const store = await emptyStore(t)
  const { image, container } = await makeImage(store, ['one'], { a: 'a' })
  await removeContainer(store, container)
  await combine(store, [image], ['all'])
  assert.deepEqual((await findImageOrList(store, 'one', 'test')).names, ['localhost/one:latest'])
})

test('what a build writes about its image has docker’s keys', async (t) => {
  const store = await emptyStore(t)
  const both = await bothIn(store)
  const [one] = both
  assert.equal(iidText(one), `sha256:${one.id}`)
  assert.deepEqual(JSON.parse(metadataText(one, ['localhost/web:latest', 'b'])), {
    'containerimage.config.digest': `sha256:${one.id}`,
    'containerimage.descriptor': {
      digest: one.manifestDigest,
      mediaType: one.manifest.mediaType,
      platform: { architecture: 'amd64', os: 'linux' },
      size: one.manifestSize,
    },
    'containerimage.digest': one.manifestDigest,
    'image.name': 'localhost/web:latest,b',
  })
  const list = await combine(store, both, ['web'])
  assert.equal(iidText(list), list.digest)
  const metadata = JSON.parse(metadataText(list, [], both))
  assert.deepEqual(Object.keys(metadata), [
    'containerimage.config.digest/linux/amd64',
    'containerimage.config.digest/linux/arm64',
    'containerimage.descriptor',
    'containerimage.digest',
  ])
  assert.equal(metadata['containerimage.digest'], list.digest)
})
