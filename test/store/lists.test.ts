import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import type { Digest } from '../../sdk/image/digest.js'
import { withMembers, withoutMember } from '../../sdk/image/list.js'
import { blobPath, hasBlob, listBlobs, putBlob } from '../../sdk/store/blobs.js'
import { checkStore } from '../../sdk/store/check.js'
import { createContainer, removeContainer } from '../../sdk/store/containers.js'
import { prune } from '../../sdk/store/garbage.js'
import {
  descriptorOf,
  findImage,
  findImageOrList,
  type Image,
  isList,
  listImages,
  listLists,
  removeImage,
  tagImage,
  tagList,
  untagImage,
} from '../../sdk/store/images.js'
import { readEntries } from '../../sdk/store/index-file.js'
import { hasLayer, layerBlob, listLayers } from '../../sdk/store/layers.js'
import { addToList, createList, editList, findList, removeList } from '../../sdk/store/lists.js'
import type { Store } from '../../sdk/store/store.js'
import { layoutFaults } from '../oci-rules.js'
import { emptyStore, failure, makeImage } from './fixture.js'

/** A store with the list `web` of two images, `one` and `two`, for amd64 and arm64. */
async function withList(t: TestContext) {
  const store = await emptyStore(t)
  const one = await image(store, 'one')
  const two = await image(store, 'two')
  const arm = { ...descriptorOf(two), platform: { os: 'linux', architecture: 'arm64' } }
  const list = await createList(store, 'web', (index) => withMembers(index, [descriptorOf(one), arm]))
  return { store, one, two, list }
}

async function image(store: Store, name: string): Promise<Image> {
  const made = await makeImage(store, [name], { [name]: name })
  await removeContainer(store, made.container)
  return made.image
}

const amd64 = { os: 'linux', architecture: 'amd64' }
const arm64 = { os: 'linux', architecture: 'arm64' }

describe('a list of images in the store', () => {
  it('is an index that every tool can read, under its name', async (t) => {
    const { store, one, two, list } = await withList(t)
    for (const { config } of [one, two]) await layerBlob(store, config.rootfs.diff_ids[0] as Digest)
    assert.deepEqual(list.names, ['localhost/web:latest'])
    const entry = readEntries(store).find(({ digest }) => digest === list.digest)
    assert.equal(entry?.mediaType, mediaTypes.index)
    assert.deepEqual(layoutFaults(store.root), [])
    assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
  })

  for (const [platform, name] of [
    [amd64, 'one'],
    [arm64, 'two'],
  ] as const)
    it(`stands for its image where one is needed: ${platform.architecture}`, async (t) => {
      const { store } = await withList(t)
      const found = await findImage(store, 'web', 'from', platform)
      assert.deepEqual([found.names, found.list?.name], [[`localhost/${name}:latest`], 'localhost/web:latest'])
    })

  it('says what it offers when it has nothing for a platform', async (t) => {
    const { store } = await withList(t)
    const error = await failure(findImage(store, 'web', 'from', { os: 'linux', architecture: 's390x' }))
    assert.equal(
      error.message,
      'from localhost/web:latest: it has no image for linux/s390x; choose one of: linux/amd64, linux/arm64',
    )
  })

  for (const spelling of ['name', 'ID', 'beginning of the ID', 'digest', 'name and digest'] as const)
    it(`is found by its ${spelling}`, async (t) => {
      const { store, list } = await withList(t)
      const texts = {
        name: 'web',
        ID: list.id,
        'beginning of the ID': list.id.slice(0, 9),
        digest: list.digest,
        'name and digest': `web@${list.digest}`,
      }
      assert.deepEqual(await findList(store, texts[spelling], 'test'), list)
    })

  for (const spelling of ['ID', 'digest', 'name of the list and digest'] as const)
    it(`has its images found by ${spelling}, when they have no names any more`, async (t) => {
      const { store, one } = await withList(t)
      await removeImage(store, one)
      const { manifestDigest, id } = one
      const texts = {
        ID: id.slice(0, 9),
        digest: manifestDigest,
        'name of the list and digest': `web@${manifestDigest}`,
      }
      const found = await findImageOrList(store, texts[spelling], 'test')
      assert.ok(!isList(found))
      assert.deepEqual([found.id, found.names, found.list?.name], [id, [], 'localhost/web:latest'])
    })

  it('is no image, and an image is no list', async (t) => {
    const { store, one } = await withList(t)
    assert.deepEqual(
      (await listImages(store)).map(({ names }) => names),
      [['localhost/one:latest'], ['localhost/two:latest']],
    )
    const error = await failure(findList(store, one.id, 'manifest inspect'))
    assert.match(error.message, /it is an image, not a list; builder manifest create makes a list/)
  })

  it('changes under the name that is called; another name keeps what it had', async (t) => {
    const { store, one, list } = await withList(t)
    await tagList(store, list, 'other')
    const after = await editList(store, 'web', 'test', (index) => withoutMember(index, one.manifestDigest))
    assert.deepEqual(after.names, ['localhost/web:latest'])
    assert.deepEqual((await findList(store, 'other', 'test')).index, list.index)
    const error = await failure(
      tagList(store, after, 'more').then(() => editList(store, after.id, 'test', (index) => index)),
    )
    assert.match(error.message, /has several names, and only one of them is to change; say which: /)
  })

  it('of the same content under two names is two lists', async (t) => {
    const { store, one } = await withList(t)
    await createList(store, 'a', (index) => index)
    await createList(store, 'b', (index) => index)
    await addToList(store, 'a', one, 'test')
    const sizes = (await listLists(store)).map(({ names, index }) => [names, index.manifests.length])
    assert.deepEqual(sizes.slice(1), [
      [['localhost/a:latest'], 1],
      [['localhost/b:latest'], 0],
    ])
  })

  it('takes the changes of many at once', async (t) => {
    const { store, one } = await withList(t)
    const lone = (digest: Digest) => ({ ...descriptorOf(one), digest })
    await createList(store, 'many', (index) => index)
    const digests = Array.from({ length: 8 }, (_, i) => `sha256:${`${i}`.repeat(64)}` as Digest)
    await Promise.all(
      digests.map((digest) => editList(store, 'many', 'test', (index) => withMembers(index, [lone(digest)]))),
    )
    const { index } = await findList(store, 'many', 'test')
    assert.deepEqual(index.manifests.map(({ digest }) => digest).sort(), digests)
  })

  it('does not take a name that something has', async (t) => {
    const { store } = await withList(t)
    const list = await failure(createList(store, 'web', (index) => index))
    const image = await failure(createList(store, 'one', (index) => index))
    assert.match(list.message, /^manifest create localhost\/web:latest: there is such a list already; say --amend/)
    assert.match(image.message, /^manifest create localhost\/one:latest: an image has this name/)
  })
})

describe('a list keeps its images', () => {
  it('when their names go', async (t) => {
    const { store, one } = await withList(t)
    await removeImage(store, one)
    assert.equal((await findImage(store, 'web', 'test', amd64)).id, one.id)
    assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
  })

  it('when what nothing needs is pruned', async (t) => {
    const { store, one } = await withList(t)
    await untagImage(store, 'one')
    await untagImage(store, 'two')
    const { images, blobs, layers } = await prune(store)
    assert.deepEqual([images, blobs, layers], [2, 0, 0])
    assert.equal((await findImage(store, 'web', 'test', amd64)).id, one.id)
    await tagImage(store, await findImage(store, one.id, 'test'), 'again')
    assert.deepEqual((await findImage(store, 'again', 'test')).names, ['localhost/again:latest'])
  })

  it('and lets them go when it is removed, but for those with a name', async (t) => {
    const { store, one, two, list } = await withList(t)
    await removeImage(store, one)
    await removeList(store, list)
    assert.deepEqual(await listLists(store), [])
    assert.deepEqual(await listLayers(store), two.config.rootfs.diff_ids)
    assert.ok(!hasBlob(store, one.manifestDigest))
    assert.ok(hasBlob(store, two.manifestDigest))
  })

  it('and leaves the one that a container uses as an image without a name', async (t) => {
    const { store, one, list } = await withList(t)
    const { manifestDigest, id, config } = one
    const from = { name: 'localhost/web:latest', id, manifestDigest }
    await createContainer(store, {
      config,
      layers: config.rootfs.diff_ids,
      layerDescriptors: one.manifest.layers,
      from,
    })
    await removeImage(store, one, { force: true })
    await removeList(store, list)
    assert.deepEqual((await findImage(store, id, 'test')).names, [])
    assert.ok(hasLayer(store, config.rootfs.diff_ids[0] as Digest))
  })

  it('and lets go what was taken out of it', async (t) => {
    const { store, one } = await withList(t)
    await removeImage(store, one)
    const before = await listBlobs(store)
    await editList(store, 'web', 'test', (index) => withoutMember(index, one.manifestDigest))
    assert.ok(!hasBlob(store, one.manifestDigest))
    // The manifest, its config and the list itself; the new list came.
    assert.equal((await listBlobs(store)).length, before.length - 2)
  })

  it('and goes with prune when it lost its name', async (t) => {
    const { store } = await withList(t)
    await untagImage(store, 'web')
    assert.equal((await prune(store)).images, 1)
    assert.deepEqual(await listLists(store), [])
  })

  it('beside what is no image: an attestation, a chart', async (t) => {
    const { store } = await withList(t)
    const empty = {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: await putBlob(store, Buffer.from('{}')),
      size: 2,
    }
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: empty, layers: [empty] }
    const bytes = Buffer.from(JSON.stringify(manifest))
    const digest = await putBlob(store, bytes)
    const platform = { os: 'unknown', architecture: 'unknown' }
    const member = { mediaType: mediaTypes.manifest, digest, size: bytes.length, platform }
    await editList(store, 'web', 'test', (index) => withMembers(index, [member]))
    await prune(store, { all: false })
    assert.ok(hasBlob(store, digest) && hasBlob(store, empty.digest))
    assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
    assert.equal((await findImage(store, 'web', 'test', amd64)).names[0], 'localhost/one:latest')
  })
})

describe('a list that has lost an image', () => {
  it('says so, and what to do', async (t) => {
    const { store, one } = await withList(t)
    rmSync(blobPath(store, one.manifestDigest))
    const error = await failure(findImage(store, 'web', 'from', amd64))
    const digest = one.manifestDigest
    assert.equal(
      error.message,
      `from localhost/web:latest: its image ${digest} for linux/amd64 is not in the store; ` +
        `get it again, or take it out of the list (builder manifest remove localhost/web:latest ${digest})`,
    )
    const problems = (await checkStore(store)).problems
    assert.ok(problems.includes(`list localhost/web:latest: its image ${digest} for linux/amd64 is missing`))
  })

  it('does not hide other images, when an index in it is damaged', async (t) => {
    const { store, one, list } = await withList(t)
    const inner = { mediaType: mediaTypes.index, digest: list.digest, size: list.size }
    await createList(store, 'outer', (index) => withMembers(index, [inner]))
    assert.equal((await findImage(store, 'outer', 'test', arm64)).names[0], 'localhost/two:latest')
    writeFileSync(blobPath(store, list.digest), '{')
    assert.equal((await findImage(store, one.id.slice(0, 9), 'test')).id, one.id)
    assert.equal((await failure(findImage(store, 'outer', 'test'))).code, 'DIGEST')
    assert.equal((await failure(findImage(store, `${'0'.repeat(12)}`, 'test'))).code, 'NOT_FOUND')
  })

  it('still gives the others, and can be put right', async (t) => {
    const { store, one, two } = await withList(t)
    await untagImage(store, 'one')
    await prune(store)
    rmSync(blobPath(store, one.manifestDigest))
    assert.equal((await findImage(store, 'web', 'test', arm64)).id, two.id)
    await editList(store, 'web', 'test', (index) => withoutMember(index, one.manifestDigest))
    await prune(store)
    assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
    assert.deepEqual(await listLayers(store), two.config.rootfs.diff_ids)
  })
})
