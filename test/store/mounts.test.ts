import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isMountPoint } from '../../sdk/namespace/mountinfo.js'
import { type ContainerRecord, containerDir, createContainer, requireContainer } from '../../sdk/store/containers.js'
import { layerDiff } from '../../sdk/store/layers.js'
import { isMounted, mountForUser, unmountForUser, useRoot } from '../../sdk/store/mounts.js'
import { seal } from '../../sdk/store/seal.js'
import type { Store } from '../../sdk/store/store.js'
import { emptyStore, failure, makeImage, scratchConfig } from './fixture.js'

const sealing = { omitHistory: false, changes: [], unsetenv: [] }

/** A container over one layer with the file `below`. */
async function makeContainer(t: TestContext, driver?: Store['driver']): Promise<{ store: Store; it: ContainerRecord }> {
  const store = { ...(await emptyStore(t)), ...(driver ? { driver } : {}) }
  const { container } = await makeImage(store, ['base'], { below: 'b' })
  const { layers, layerDescriptors, config } = container
  return { store, it: await createContainer(store, { config, layers, layerDescriptors }) }
}

/** A process in a mount namespace of its own; resolves when it has mounted. */
async function elsewhere(t: TestContext, store: Store, what: 'use' | 'mount', id: string): Promise<ChildProcess> {
  const module = fileURLToPath(new URL('./mounts-child.js', import.meta.url))
  const words = ['-m', process.execPath, module, what, store.root, store.runroot, id]
  const child = spawn('unshare', words, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  return child
}

async function ended(child: ChildProcess, how: () => void): Promise<void> {
  const end = new Promise((resolve) => child.once('exit', resolve))
  how()
  await end
}

test('uses share one mount, and the last one ends it', async (t) => {
  const { store, it } = await makeContainer(t)
  const [a, b] = await Promise.all([useRoot(store, it.id), useRoot(store, it.id)])
  assert.equal(a.path, b.path)
  assert.equal(readFileSync(join(a.path, 'below'), 'utf8'), 'b')
  await a[Symbol.asyncDispose]()
  assert.ok(isMountPoint(b.path))
  await b[Symbol.asyncDispose]()
  assert.ok(!isMountPoint(b.path))
})

test('a mount for the user outlives uses', async (t) => {
  const { store, it } = await makeContainer(t)
  const path = await mountForUser(store, it.id)
  await (await useRoot(store, it.id))[Symbol.asyncDispose]()
  assert.ok(isMountPoint(path))
  assert.equal(await unmountForUser(store, it.id), true)
  assert.equal(await unmountForUser(store, it.id), false)
  assert.ok(!isMountPoint(path))
})

test('what is mounted in another session is not mounted a second time', async (t) => {
  const { store, it } = await makeContainer(t)
  const session = await elsewhere(t, store, 'mount', it.id)
  for (const attempt of [useRoot, mountForUser, unmountForUser]) {
    const error = await failure(attempt(store, it.id))
    assert.equal(error.code, 'IN_USE')
    assert.match(error.message, /it is mounted in the session of process \d+; work on it there, or end that session$/)
  }
  await ended(session, () => session.stdin?.end())
  await (await useRoot(store, it.id))[Symbol.asyncDispose]()
})

test('a mount whose session was killed does not count', async (t) => {
  const { store, it } = await makeContainer(t)
  const session = await elsewhere(t, store, 'mount', it.id)
  assert.ok(isMounted(requireContainer(store, it.id)))
  await ended(session, () => session.kill('SIGKILL'))
  assert.ok(!isMounted(requireContainer(store, it.id)))
  await (await useRoot(store, it.id))[Symbol.asyncDispose]()
})

for (const how of ['ends', 'is killed'] as const) {
  test(`work in another namespace is waited for until it ${how}`, async (t) => {
    const { store, it } = await makeContainer(t)
    const other = await elsewhere(t, store, 'use', it.id)
    let here = false
    const use = useRoot(store, it.id).then((root) => {
      here = true
      return root
    })
    await setTimeout(100)
    assert.equal(here, false)
    if (how === 'ends') other.stdin?.end()
    else other.kill('SIGKILL')
    const root = await use
    assert.ok(isMountPoint(root.path))
    await root[Symbol.asyncDispose]()
  })
}

test('waiting ends with the signal', async (t) => {
  const { store, it } = await makeContainer(t)
  const other = await elsewhere(t, store, 'use', it.id)
  const stop = new AbortController()
  const use = failure(useRoot(store, it.id, stop.signal))
  stop.abort()
  assert.match((await use).name, /AbortError|BuilderError/)
  await ended(other, () => other.stdin?.end())
})

for (const driver of ['overlay', 'copy'] as const) {
  test(`${driver}: commit takes the user's mount away and brings it back on top of the new layer`, async (t) => {
    const { store, it } = await makeContainer(t, driver)
    const path = await mountForUser(store, it.id)
    writeFileSync(join(path, 'made'), 'm')
    await seal(store, it.id, sealing)
    const after = requireContainer(store, it.id)
    assert.equal(after.layers.length, 2)
    assert.deepEqual(readdirSync(path).sort(), ['below', 'made'])
    assert.deepEqual(topLayer(store, after), ['made'])
    await unmountForUser(store, it.id)
  })

  test(`${driver}: commit copies while something is at work, and the container stays as it is`, async (t) => {
    const { store, it } = await makeContainer(t, driver)
    const use = await useRoot(store, it.id)
    writeFileSync(join(use.path, 'made'), 'm')
    const manifest = JSON.parse(Buffer.from(await seal(store, it.id, sealing)).toString())
    assert.equal(manifest.layers.length, 2)
    assert.equal(requireContainer(store, it.id).layers.length, 1)
    assert.equal(readFileSync(join(use.path, 'made'), 'utf8'), 'm')
    assert.deepEqual(readdirSync(layerDiff(store, manifest.layers[1].digest)), ['made'])
    await use[Symbol.asyncDispose]()
    assert.deepEqual(readdirSync(join(containerDir(store, it.id), 'upper/diff')), ['made'])
  })

  test(`${driver}: commit copies while a shell stands in the mount`, async (t) => {
    const { store, it } = await makeContainer(t, driver)
    const path = await mountForUser(store, it.id)
    writeFileSync(join(path, 'made'), 'm')
    const shell = spawn('sh', ['-c', 'read -r _'], { cwd: path, stdio: ['pipe', 'ignore', 'inherit'] })
    const error = await failure(unmountForUser(store, it.id))
    assert.match(
      error.message,
      /something still uses it; leave the folder \(cd \/\) and close what has files open in it/,
    )
    await seal(store, it.id, sealing)
    assert.ok(isMountPoint(path))
    assert.equal(requireContainer(store, it.id).layers.length, 1)
    await ended(shell, () => shell.stdin?.end())
    assert.equal(await unmountForUser(store, it.id), true)
  })

  test(`${driver}: what a killed process wrote is in the next commit`, async (t) => {
    const { store, it } = await makeContainer(t, driver)
    process.env.BUILDER_STORAGE_DRIVER = driver
    t.after(() => delete process.env.BUILDER_STORAGE_DRIVER)
    const other = await elsewhere(t, store, 'use', it.id)
    const merged = `/proc/${other.pid}/root${join(containerDir(store, it.id), 'merged')}`
    writeFileSync(join(merged, 'made'), 'm')
    await ended(other, () => other.kill('SIGKILL'))
    await seal(store, it.id, sealing)
    assert.deepEqual(topLayer(store, requireContainer(store, it.id)), ['made'])
    assert.equal(existsSync(join(containerDir(store, it.id), 'copy')), false)
  })
}

test('a container without layers is its upper directory', async (t) => {
  const store = await emptyStore(t)
  const { id } = await createContainer(store, { config: scratchConfig })
  const use = await useRoot(store, id)
  writeFileSync(join(use.path, 'made'), 'm')
  await use[Symbol.asyncDispose]()
  await seal(store, id, sealing)
  assert.deepEqual(topLayer(store, requireContainer(store, id)), ['made'])
})

function topLayer(store: Store, { layers }: ContainerRecord): string[] {
  return readdirSync(layerDiff(store, layers.at(-1) ?? 'sha256:'))
}
