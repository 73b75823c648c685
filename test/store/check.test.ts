import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { applyLayer } from '../../sdk/layer/apply.js'
import { blobPath, putBlob, removeBlob, streamBlob } from '../../sdk/store/blobs.js'
import { checkStore } from '../../sdk/store/check.js'
import { type ContainerRecord, containerDir, createContainer } from '../../sdk/store/containers.js'
import { addImage, type Image } from '../../sdk/store/images.js'
import { beginLayer, layerBlob, layerDiff, layerDir, removeLayer } from '../../sdk/store/layers.js'
import { useRoot } from '../../sdk/store/mounts.js'
import type { Store } from '../../sdk/store/store.js'
import { tempDir } from '../lane.js'
import { emptyStore, makeImage, manifestOf, scratchConfig } from './fixture.js'

interface Case {
  readonly store: Store
  readonly image: Image
  readonly container: ContainerRecord
  readonly layer: `sha256:${string}`
}

async function oneImage(t: Parameters<typeof emptyStore>[0]): Promise<Case> {
  const store = await emptyStore(t)
  const { image, container } = await makeImage(store, ['web'], { file: 'hello' })
  const [layer] = container.layers
  assert.ok(layer)
  return { store, image, container, layer }
}

for (const deep of [false, true])
  test(`a whole store has no problems (deep: ${deep})`, async (t) => {
    const { store } = await oneImage(t)
    assert.deepEqual(await checkStore(store, { deep }), {
      problems: [],
      notes: [],
      images: 1,
      layers: 1,
      containers: 1,
    })
  })

test('what a mount makes anew may be gone, for a mount may have been killed', async (t) => {
  const { store, container } = await oneImage(t)
  for (const part of ['work', 'l']) rmSync(join(containerDir(store, container.id), part), { recursive: true })
  assert.deepEqual((await checkStore(store)).problems, [])
  await using root = await useRoot(store, container.id)
  assert.ok(existsSync(root.path))
})

test('an empty store is whole', async (t) => {
  const none = { problems: [], notes: [], images: 0, layers: 0, containers: 0 }
  assert.deepEqual(await checkStore(await emptyStore(t), { deep: true }), none)
})

test('a layer may be a blob only', async (t) => {
  const { store, layer, container } = await oneImage(t)
  await layerBlob(store, layer)
  await removeLayer(store, layer)
  rmSync(containerDir(store, container.id), { recursive: true })
  assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
})

const cases: readonly [string, boolean, (it: Case) => unknown, RegExp][] = [
  [
    'a manifest that is missing',
    false,
    ({ store, image }) => removeBlob(store, image.manifestDigest),
    /web.*not in the store/,
  ],
  [
    'a manifest that was altered',
    false,
    ({ store, image }) => writeFileSync(blobPath(store, image.manifestDigest), '{}'),
    /web.*altered/,
  ],
  [
    'a config that is missing',
    false,
    ({ store, image }) => removeBlob(store, image.manifest.config.digest),
    /web.*not in the store/,
  ],
  [
    'a layer that is nowhere',
    false,
    ({ store, layer }) => removeLayer(store, layer),
    /image localhost\/web:latest: layer .* is missing/,
  ],
  [
    'a container’s layer that is missing',
    false,
    ({ store, layer }) => removeLayer(store, layer),
    /container working-container.*is missing/,
  ],
  [
    'a layer without files',
    false,
    ({ store, layer }) => rmSync(layerDiff(store, layer), { recursive: true }),
    /diff is missing/,
  ],
  [
    'a layer with a damaged record',
    false,
    ({ store, layer }) => writeFileSync(join(layerDir(store, layer), 'layer.json'), '{}'),
    /layer\.json/,
  ],
  [
    'a container with a damaged record',
    false,
    ({ store, container }) => writeFileSync(join(containerDir(store, container.id), 'container.json'), '{}'),
    /container\.json/,
  ],
  [
    'a container without upper directory',
    false,
    ({ store, container }) => rmSync(join(containerDir(store, container.id), 'upper'), { recursive: true }),
    /upper\/diff is missing/,
  ],
  [
    'a container without the folder that it is mounted on',
    false,
    ({ store, container }) => rmSync(join(containerDir(store, container.id), 'merged'), { recursive: true }),
    /merged is missing/,
  ],
  [
    'a file of a layer that was altered',
    true,
    ({ store, layer }) => writeFileSync(join(layerDiff(store, layer), 'file'), 'jello'),
    /layer .* were altered/,
  ],
  [
    'a file of a layer that was added',
    true,
    ({ store, layer }) => writeFileSync(join(layerDiff(store, layer), 'new'), ''),
    /layer .* were altered/,
  ],
  [
    'a layer’s blob that was altered',
    true,
    async ({ store, layer }) => {
      await layerBlob(store, layer)
      writeFileSync(blobPath(store, layer), 'x')
    },
    /blob .* altered/,
  ],
]

for (const [title, deep, harm, problem] of cases)
  test(`${title} is a problem${deep ? ' that a deep check finds' : ''}`, async (t) => {
    const it = await oneImage(t)
    await harm(it)
    const { problems } = await checkStore(it.store, { deep })
    assert.ok(
      problems.some((text) => problem.test(text)),
      problems.join('\n'),
    )
  })

test('a layer that came in an archive of another order is whole too, until it is altered', async (t) => {
  const store = await emptyStore(t)
  const folder = tempDir(t)
  for (const name of ['a', 'b']) writeFileSync(join(folder, name), name)
  const { stdout: tar } = spawnSync('tar', ['-C', folder, '-cf', '-', 'b', 'a'])
  const digest = await putBlob(store, tar)
  await using layer = await beginLayer(store)
  const applied = await applyLayer(streamBlob(store, digest), layer.diff, {})
  await layer.finish({ ...applied, created: '2020-01-01T00:00:00Z' })
  const config = { ...scratchConfig, rootfs: { type: 'layers' as const, diff_ids: [digest] } }
  const layerDescriptors = [{ mediaType: mediaTypes.layer, digest, size: tar.length }]
  const fields = { config, layers: [digest], layerDescriptors }
  await addImage(store, await manifestOf(store, await createContainer(store, fields)), ['web'])
  assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
  writeFileSync(join(layerDiff(store, digest), 'a'), 'c')
  assert.match((await checkStore(store, { deep: true })).problems.join(), /were altered/)
})

test('what dead processes left is a note, not a problem', async (t) => {
  const { store } = await oneImage(t)
  mkdirSync(join(store.root, 'tmp/4194305-1-1-00000000-0'))
  symlinkSync('4194305 1 1 00000000 0badf00d x', join(store.root, 'locks/x'))
  const { problems, notes } = await checkStore(store)
  assert.deepEqual([problems, notes.length], [[], 2])
})

test('a blob that was cut short is ingested again by who brings it', async (t) => {
  const { store, layer } = await oneImage(t)
  const { size } = await layerBlob(store, layer)
  writeFileSync(blobPath(store, layer), 'x')
  assert.equal((await layerBlob(store, layer)).size, size)
  assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
})
