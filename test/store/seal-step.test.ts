import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkStore } from '../../sdk/store/check.js'
import { writeContainer } from '../../sdk/store/container-files.js'
import { containerDir, createContainer, findContainer, updateContainer } from '../../sdk/store/containers.js'
import { prune } from '../../sdk/store/garbage.js'
import { layerDiff } from '../../sdk/store/layers.js'
import { useRoot } from '../../sdk/store/mounts.js'
import { seal } from '../../sdk/store/seal.js'
import { advanceContainer, sealStep } from '../../sdk/store/seal-step.js'
import { upperDiff } from '../../sdk/store/upper.js'
import { emptyStore, failure, scratchConfig, write } from './fixture.js'

const epoch = { epoch: 1_600_000_000 }
const committing = { omitHistory: false, changes: [], unsetenv: [], ...epoch }

test('a step becomes a layer by a rename, and the container goes on above it', async (t) => {
  const store = await emptyStore(t)
  const made = await createContainer(store, { config: scratchConfig, name: 'c' })
  write(store, made, { first: 'one' })
  const { ino } = statSync(join(upperDiff(containerDir(store, made.id)), 'first'))
  const { layer } = await sealStep(store, made.id, { ...epoch, history: { created_by: 'RUN one' } })
  assert.ok(layer)
  assert.equal(statSync(join(layerDiff(store, layer.diffID), 'first')).ino, ino)
  const after = await findContainer(store, 'c', 'test')
  assert.deepEqual(after.layers, [layer.diffID])
  assert.deepEqual(after.config.rootfs.diff_ids, [layer.diffID])
  assert.deepEqual(after.config.history, [{ created_by: 'RUN one' }])
  assert.deepEqual(readdirSync(upperDiff(containerDir(store, made.id))), [])
  assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
  await using root = await useRoot(store, made.id)
  assert.equal(readFileSync(join(root.path, 'first'), 'utf8'), 'one')
})

test('a step that changed nothing adds no layer, and its history entry says so', async (t) => {
  const store = await emptyStore(t)
  const { id } = await createContainer(store, { config: scratchConfig, name: 'c' })
  assert.deepEqual(await sealStep(store, id, { history: { created_by: 'RUN true' } }), {})
  const { config, layers } = await findContainer(store, 'c', 'test')
  assert.deepEqual([config.history, layers], [[{ created_by: 'RUN true', empty_layer: true }], []])
})

test('steps and a commit give an image whose history tells each layer', async (t) => {
  const store = await emptyStore(t)
  const made = await createContainer(store, { config: scratchConfig, name: 'c' })
  write(store, made, { first: 'one' })
  await sealStep(store, made.id, { ...epoch, history: { created_by: 'one' } })
  await updateContainer(store, made.id, (record) => ({ ...record, history: [{ created_by: 'noted' }] }))
  write(store, made, { second: 'two' })
  await sealStep(store, made.id, epoch)
  write(store, made, { third: 'three' })
  await seal(store, made.id, committing)
  const { config } = await findContainer(store, 'c', 'test')
  assert.equal(config.rootfs.diff_ids.length, 3)
  assert.deepEqual(
    config.history?.map(({ created_by, empty_layer }) => [created_by, empty_layer ?? false]),
    [
      ['one', false],
      ['noted', true],
      ['/bin/sh', false],
      ['/bin/sh', false],
    ],
  )
})

test('a container advances over layers that the store has, with the root that they give', async (t) => {
  const store = await emptyStore(t)
  const first = await createContainer(store, { config: scratchConfig })
  write(store, first, { file: 'content' })
  chmodSync(upperDiff(containerDir(store, first.id)), 0o700)
  const { layer } = await sealStep(store, first.id, epoch)
  assert.ok(layer)
  const second = await createContainer(store, { config: scratchConfig, name: 'second' })
  const { layers } = await advanceContainer(store, second.id, [layer], { history: { created_by: 'it' } })
  assert.deepEqual(layers, [layer.diffID])
  assert.equal(statSync(upperDiff(containerDir(store, second.id))).mode & 0o777, 0o700)
  assert.deepEqual(await sealStep(store, second.id, epoch), {})
  assert.deepEqual((await checkStore(store)).problems, [])
})

test('what has changes, or is in use, is not advanced and not sealed', async (t) => {
  const store = await emptyStore(t)
  const made = await createContainer(store, { config: scratchConfig, name: 'busy' })
  write(store, made, { file: 'content' })
  const { layer } = await sealStep(store, made.id, epoch)
  assert.ok(layer)
  write(store, made, { other: 'content' })
  const changed = await failure(advanceContainer(store, made.id, [layer]))
  assert.equal(changed.message, 'advance container busy: it has changes that are in no layer yet; commit it first')
  await using _root = await useRoot(store, made.id)
  assert.equal((await failure(sealStep(store, made.id, epoch))).code, 'IN_USE')
})

test('a layer that is gone is not advanced to', async (t) => {
  const store = await emptyStore(t)
  const made = await createContainer(store, { config: scratchConfig })
  const diffID = `sha256:${'1'.repeat(64)}` as const
  assert.equal((await failure(advanceContainer(store, made.id, [{ diffID, size: 1 }]))).code, 'NOT_FOUND')
})

test('an advance that was killed is finished by who comes next', async (t) => {
  const store = await emptyStore(t)
  const first = await createContainer(store, { config: scratchConfig })
  write(store, first, { file: 'content' })
  const { layer } = await sealStep(store, first.id, epoch)
  assert.ok(layer)
  const record = await createContainer(store, { config: scratchConfig, name: 'killed' })
  const layers = [layer.diffID]
  const adopted = {
    layers,
    layerDescriptors: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer.diffID, size: layer.size }],
    config: { ...record.config, rootfs: { type: 'layers' as const, diff_ids: layers } },
  }
  writeContainer(store, { ...record, adopting: layer.diffID, adopted })
  rmSync(join(containerDir(store, record.id), 'upper'), { recursive: true })
  await prune(store)
  const found = await findContainer(store, 'killed', 'test')
  assert.deepEqual([found.layers, found.adopting], [layers, undefined])
  writeFileSync(join(upperDiff(containerDir(store, record.id)), 'more'), '')
  assert.ok((await sealStep(store, record.id, epoch)).layer)
})
