import assert from 'node:assert/strict'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { packLayer } from '../../sdk/layer/pack.js'
import { makeWhiteout } from '../../sdk/layer/whiteout.js'
import { adoptUpper, copyUpper, recoverContainer } from '../../sdk/store/adopt.js'
import { checkStore } from '../../sdk/store/check.js'
import { writeContainer } from '../../sdk/store/container-files.js'
import {
  type ContainerRecord,
  containerDir,
  createContainer,
  findContainer,
  updateContainer,
} from '../../sdk/store/containers.js'
import { prune } from '../../sdk/store/garbage.js'
import { layerBlob, layerDiff, layerDir, readLayer, writeLayerRecord } from '../../sdk/store/layers.js'
import type { Store } from '../../sdk/store/store.js'
import { adopt, emptyStore, failure, scratchConfig, write } from './fixture.js'

const upperOf = (store: Store, { id }: ContainerRecord) => join(containerDir(store, id), 'upper')

async function withContainer(t: Parameters<typeof emptyStore>[0]) {
  const store = await emptyStore(t)
  const made = await createContainer(store, { config: scratchConfig, name: 'web' })
  write(store, made, { file: 'hello' })
  return { store, made }
}

test('the upper directory becomes the layer itself, and the container goes on above it', async (t) => {
  const { store, made } = await withContainer(t)
  const { ino } = lstatSync(join(upperOf(store, made), 'diff/file'))
  const after = await adopt(store, made)
  const [diffID] = after.layers
  assert.ok(diffID)
  assert.equal(lstatSync(join(layerDiff(store, diffID), 'file')).ino, ino)
  assert.deepEqual(readdirSync(join(upperOf(store, made), 'diff')), [])
  assert.deepEqual(await findContainer(store, 'web', 'x'), after)
  assert.deepEqual(after.config.rootfs.diff_ids, [diffID])
  assert.equal((await layerBlob(store, diffID)).digest, diffID)
  assert.equal((await readLayer(store, diffID)).root, undefined)
})

test('a layer that the store has already is not stored twice', async (t) => {
  const { store, made } = await withContainer(t)
  const other = await createContainer(store, { config: scratchConfig })
  write(store, other, { file: 'hello' })
  const [one, two] = [await adopt(store, made), await adopt(store, other)]
  assert.deepEqual(one.layers, two.layers)
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
  assert.deepEqual(readdirSync(join(upperOf(store, other), 'diff')), [])
})

test('what was configured while it was packed stays', async (t) => {
  const { store, made } = await withContainer(t)
  const after = await adopt(store, made, () => {
    writeContainer(store, { ...made, config: { ...made.config, author: 'me' } })
  })
  assert.equal(after.config.author, 'me')
})

test('a root with another mode gives a layer with a root entry', async (t) => {
  const { store, made } = await withContainer(t)
  chmodSync(join(upperOf(store, made), 'diff'), 0o1777)
  const [diffID] = (await adopt(store, made)).layers
  assert.ok(diffID)
  assert.deepEqual((await readLayer(store, diffID)).root, { mode: 0o1777, uid: 0, gid: 0 })
  assert.equal((await layerBlob(store, diffID)).digest, diffID)
})

test('of two commits of one container the slower one is told', async (t) => {
  const { store, made } = await withContainer(t)
  await adopt(store, made)
  const error = await failure(adopt(store, made))
  assert.equal(error.code, 'IN_USE')
  assert.match(error.message, /commit it again/)
})

/** The state in which a kill leaves a commit after each of its steps, made by hand. */
async function stopped(store: Store, made: ContainerRecord, step: number): Promise<void> {
  const upper = upperOf(store, made)
  const packed = await packLayer(join(upper, 'diff'), { clamp: 0 })
  const { diffID, size } = packed
  const record = { ...packed, clamp: 0, created: '2020-01-01T00:00:00Z' }
  const adopted = {
    layers: [diffID],
    layerDescriptors: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: diffID, size }],
    config: { ...made.config, rootfs: { type: 'layers' as const, diff_ids: [diffID] } },
  }
  if (step >= 1) writeLayerRecord(store, upper, record)
  if (step >= 2) writeContainer(store, { ...made, adopting: diffID, adopted })
  if (step >= 3) renameSync(upper, layerDir(store, diffID))
  if (step >= 4) mkdirSync(upper)
  if (step >= 5) mkdirSync(join(upper, 'diff'))
}

for (const step of [1, 2, 3, 4, 5])
  test(`killed after step ${step}: the ${step < 3 ? 'old' : 'new'} state, even when recovering is killed too`, async (t) => {
    const { store, made } = await withContainer(t)
    await stopped(store, made, step)
    await prune(store)
    const found = await findContainer(store, 'web', 'run')
    assert.equal(found.layers.length, step < 3 ? 0 : 1)
    assert.equal(found.adopting, undefined)
    assert.deepEqual(await recoverContainer(store, made.id), found)
    assert.deepEqual(readdirSync(join(upperOf(store, made), 'diff')), step < 3 ? ['file'] : [])
    assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
    write(store, made, { more: 'x' })
    assert.equal((await adopt(store, found)).layers.length, found.layers.length + 1)
  })

test('killed when the layer was there before: the new state', async (t) => {
  const { store, made } = await withContainer(t)
  const other = await createContainer(store, { config: scratchConfig })
  write(store, other, { file: 'hello' })
  await adopt(store, other)
  await stopped(store, made, 2)
  rmSync(upperOf(store, made), { recursive: true })
  assert.equal((await findContainer(store, 'web', 'run')).layers.length, 1)
  assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
})

test('a kill between dropping the intent and its note is the old state', async (t) => {
  const { store, made } = await withContainer(t)
  await stopped(store, made, 1)
  const after = await adopt(store, await findContainer(store, 'web', 'commit'))
  assert.equal(after.layers.length, 1)
})

test('check says what the next use sets right', async (t) => {
  const { store, made } = await withContainer(t)
  await stopped(store, made, 3)
  const { problems, notes } = await checkStore(store)
  assert.deepEqual(problems, [])
  assert.match(notes.join(), /web: a commit was interrupted/)
})

test('an edit in between does not lose the intent', async (t) => {
  const { store, made } = await withContainer(t)
  await stopped(store, made, 3)
  await updateContainer(store, made.id, (it) => ({ ...it, annotations: { a: 'b' } }))
  const found = await findContainer(store, 'web', 'run')
  assert.deepEqual([found.layers.length, found.annotations], [1, { a: 'b' }])
})

test('committing a container that was removed is NOT_FOUND', async (t) => {
  const { store, made } = await withContainer(t)
  rmSync(containerDir(store, made.id), { recursive: true })
  const layer = { diffID: `sha256:${'0'.repeat(64)}` as const, size: 0, entries: 0, created: '' }
  assert.equal((await failure(adoptUpper(store, made, layer, made))).code, 'NOT_FOUND')
})

test('a copy of the upper directory packs to the same layer, and the container stays as it is', async (t) => {
  const { store, made } = await withContainer(t)
  const diff = join(upperOf(store, made), 'diff')
  makeWhiteout(join(diff, 'gone'))
  linkSync(join(diff, 'file'), join(diff, 'twin'))
  writeFileSync(Buffer.concat([Buffer.from(`${diff}/`), Buffer.from([0xff])]), 'x')
  const packed = await packLayer(diff)
  await using copy = await copyUpper(store, made)
  assert.deepEqual(await packLayer(copy.diff), packed)
  await copy.finish({ ...packed, created: '2020-01-01T00:00:00Z' })
  assert.equal((await layerBlob(store, packed.diffID)).digest, packed.diffID)
  assert.equal(readFileSync(join(diff, 'file'), 'utf8'), 'hello')
  assert.deepEqual(await findContainer(store, 'web', 'x'), made)
})

test('a copy that is stopped leaves nothing', async (t) => {
  const { store, made } = await withContainer(t)
  const stop = new AbortController()
  stop.abort()
  assert.equal((await failure(copyUpper(store, made, stop.signal))).code, 'ABORTED')
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})
