import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { digestOf } from '../../sdk/image/digest.js'
import { isMapped } from '../../sdk/namespace/idmap.js'
import {
  containerDir,
  createContainer,
  findContainer,
  listContainers,
  removeContainer,
  renameContainer,
  updateContainer,
} from '../../sdk/store/containers.js'
import { beginLayer } from '../../sdk/store/layers.js'
import { adopt, emptyStore, failure, scratchConfig, write } from './fixture.js'

const config = scratchConfig
const manifestDigest = digestOf('')

test('a new container has its folders and an empty upper directory', async (t) => {
  const store = await emptyStore(t)
  const { id, name } = await createContainer(store, { config })
  assert.equal(name, 'working-container')
  const folder = containerDir(store, id)
  assert.deepEqual(readdirSync(folder).sort(), ['container.json', 'l', 'merged', 'upper', 'work'])
  assert.deepEqual(readdirSync(join(folder, 'upper')), ['diff'])
  assert.equal(statSync(join(folder, 'upper/diff')).mode & 0o7777, 0o755)
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

for (const [image, names] of [
  [undefined, ['working-container', 'working-container-1']],
  [
    'docker.io/library/debian:12',
    ['debian-working-container', 'debian-working-container-1', 'debian-working-container-2'],
  ],
  [`localhost:5000/a/web@${manifestDigest}`, ['web-working-container']],
  ['0123456789ab', ['0123456789ab-working-container']],
] as const)
  test(`containers from ${image} are called ${names}`, async (t) => {
    const store = await emptyStore(t)
    const from = image === undefined ? {} : { from: { name: image, id: '0', manifestDigest } }
    for (const name of names) assert.equal((await createContainer(store, { config, ...from })).name, name)
  })

test('many made at once have many names', async (t) => {
  const store = await emptyStore(t)
  const made = await Promise.all(Array.from({ length: 20 }, () => createContainer(store, { config })))
  assert.equal(new Set(made.map(({ name }) => name)).size, 20)
  assert.equal((await listContainers(store)).length, 20)
})

test('a name is given once', async (t) => {
  const store = await emptyStore(t)
  await createContainer(store, { config, name: 'a' })
  const error = await failure(createContainer(store, { config, name: 'a' }))
  assert.equal(error.code, 'EXISTS')
  assert.match(error.message, /builder rm a/)
  const b = await createContainer(store, { config, name: 'b' })
  assert.equal((await failure(renameContainer(store, b.id, 'a'))).code, 'EXISTS')
  assert.equal((await renameContainer(store, b.id, 'b')).name, 'b')
  assert.equal((await renameContainer(store, b.id, 'c')).name, 'c')
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

for (const name of ['', '-a', '.', '../x', 'a/b', 'a b', 'a\nb', 'é', 'n'.repeat(129)])
  test(`${JSON.stringify(name.slice(0, 9))} is no name for a container`, async (t) => {
    const store = await emptyStore(t)
    assert.equal((await failure(createContainer(store, { config, name }))).code, 'INVALID')
    const { id } = await createContainer(store, { config })
    assert.equal((await failure(renameContainer(store, id, name))).code, 'INVALID')
    assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
  })

test('a container is found by name, ID and the beginning of it', async (t) => {
  const store = await emptyStore(t)
  const { id } = await createContainer(store, { config, name: 'web' })
  await createContainer(store, { config, name: 'other' })
  for (const text of ['web', id, id.slice(0, 12), id.slice(0, 5)])
    assert.equal((await findContainer(store, text, 'run')).id, id, text)
})

for (const [text, hint] of [
  ['wbe', /did you mean web\?/],
  ['nothing-like-it', /builder containers/],
  ['', /builder containers/],
  ['../../etc', /builder containers/],
  ['f'.repeat(64), /builder containers/],
] as const)
  test(`no container ${text.slice(0, 16)}: ${hint.source}`, async (t) => {
    const store = await emptyStore(t)
    await createContainer(store, { config, name: 'web' })
    const error = await failure(findContainer(store, text, 'run'))
    assert.equal(error.code, 'NOT_FOUND')
    assert.match(error.message, hint)
  })

test('edits are made on what is there now, one after another', async (t) => {
  const store = await emptyStore(t)
  const { id } = await createContainer(store, { config })
  const count = () =>
    updateContainer(store, id, (it) => ({
      ...it,
      annotations: { ...it.annotations, [Object.keys(it.annotations).length]: 'x' },
    }))
  await Promise.all(Array.from({ length: 50 }, count))
  assert.equal(Object.keys((await findContainer(store, id, 'x')).annotations).length, 50)
})

test('an edit that fails, or that makes no sense, changes nothing', async (t) => {
  const store = await emptyStore(t)
  const made = await createContainer(store, { config })
  await failure(updateContainer(store, made.id, () => assert.fail()))
  const error = await failure(updateContainer(store, made.id, (it) => ({ ...it, layers: [digestOf('')] })))
  assert.equal(error.code, 'INVALID')
  assert.deepEqual(await findContainer(store, made.id, 'x'), made)
})

test('a container of a layer that is not there is not made', async (t) => {
  const store = await emptyStore(t)
  const layers = [digestOf('')]
  const layerDescriptors = [{ mediaType: 'application/x', digest: digestOf(''), size: 0 }]
  assert.equal((await failure(createContainer(store, { config, layers, layerDescriptors }))).code, 'NOT_FOUND')
})

test('the root of a container over layers has the mode and owner that they gave it', async (t) => {
  const store = await emptyStore(t)
  const made = await createContainer(store, { config })
  const diff = join(containerDir(store, made.id), 'upper/diff')
  write(store, made, { file: 'x' })
  chownSync(diff, 7, 8)
  chmodSync(diff, 0o1750)
  const { layers, layerDescriptors, config: committed } = await adopt(store, made)
  const next = await createContainer(store, { layers, layerDescriptors, config: committed })
  for (const { id } of [made, next]) {
    const { mode, uid, gid } = statSync(join(containerDir(store, id), 'upper/diff'))
    assert.deepEqual([mode & 0o7777, uid, gid], [0o1750, 7, 8])
  }
})

test('a root that belongs to nobody in the id map is said in plain words, and nothing is left', async (t) => {
  if (isMapped('uid', 4_000_000_000)) return
  const store = await emptyStore(t)
  await using layer = await beginLayer(store)
  const root = { mode: 0o755, uid: 4_000_000_000, gid: 0 }
  await layer.finish({ diffID: digestOf(''), size: 0, entries: 1, root, created: '' })
  const layerDescriptors = [{ mediaType: 'application/x', digest: digestOf(''), size: 0 }]
  const error = await failure(createContainer(store, { config, layers: [digestOf('')], layerDescriptors }))
  assert.equal(error.code, 'ID_MAP')
  assert.match(error.message, /uid 4000000000 .* is outside the id map/)
  assert.deepEqual([await listContainers(store), readdirSync(join(store.root, 'tmp'))], [[], []])
})

test('a container is removed with all it holds; twice is no error', async (t) => {
  const store = await emptyStore(t)
  const made = await createContainer(store, { config })
  const diff = join(containerDir(store, made.id), 'upper/diff')
  mkdirSync(join(diff, 'a/b'), { recursive: true })
  chownSync(join(diff, 'a'), 33, 33)
  chmodSync(join(diff, 'a'), 0)
  await removeContainer(store, made)
  await removeContainer(store, made)
  assert.deepEqual(await listContainers(store), [])
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

test('a mounted container is not removed', async (t) => {
  const store = await emptyStore(t)
  const made = await createContainer(store, { config, name: 'web' })
  const merged = join(containerDir(store, made.id), 'merged')
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', merged]).status, 0)
  t.after(() => spawnSync('umount', [merged]))
  const error = await failure(removeContainer(store, made))
  assert.equal(error.code, 'IN_USE')
  assert.match(error.message, /builder umount web/)
  assert.equal((await findContainer(store, 'web', 'x')).id, made.id)
})

for (const [title, harm] of [
  ['is cut off', (text: string) => text.slice(0, 40)],
  ['has another id', (text: string) => text.replace(/"id":"..../, '"id":"0000')],
  ['has a layer that is no digest', (text: string) => text.replace('"layers":[]', '"layers":["../.."]')],
  ['has no config', (text: string) => text.replace('"config"', '"confog"')],
  ['has a hostile name', (text: string) => text.replace('"web"', '"../web"')],
] as const)
  test(`a record that ${title} is INVALID, naming the file; other containers are still found`, async (t) => {
    const store = await emptyStore(t)
    const { id } = await createContainer(store, { config, name: 'web' })
    await createContainer(store, { config, name: 'other' })
    const path = join(containerDir(store, id), 'container.json')
    writeFileSync(path, harm(readFileSync(path, 'utf8')))
    for (const look of [findContainer(store, 'web', 'run'), findContainer(store, id, 'run'), listContainers(store)]) {
      const error = await failure(look)
      assert.equal(error.code, 'INVALID')
      assert.ok(error.message.includes(path))
    }
    assert.equal((await findContainer(store, 'other', 'run')).name, 'other')
  })

test('a stray file or an empty folder among the containers is none', async (t) => {
  const store = await emptyStore(t)
  writeFileSync(join(store.root, 'containers/.DS_Store'), '')
  mkdirSync(join(store.root, 'containers/empty'))
  assert.deepEqual(await listContainers(store), [])
  rmSync(join(store.root, 'containers/empty'), { recursive: true })
})
