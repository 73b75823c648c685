import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { getXattr, mknod, setXattr } from '../../sdk/namespace/libc.js'
import { isMountPoint } from '../../sdk/namespace/mountinfo.js'
import type { OverlayDriver } from '../../sdk/namespace/overlay.js'
import { changeRoot } from '../../sdk/store/change-root.js'
import { type ContainerRecord, containerDir, createContainer, requireContainer } from '../../sdk/store/containers.js'
import { isMounted, mountForUser, unmountForUser, useRoot } from '../../sdk/store/mounts.js'
import { seal } from '../../sdk/store/seal.js'
import type { Store } from '../../sdk/store/store.js'
import { needs } from '../lane.js'
import { treeOf } from '../namespace/tree.js'
import { emptyStore, failure, scratchConfig, startChild } from './fixture.js'

const sealing = { omitHistory: false, changes: [], unsetenv: [], epoch: 0 }

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

function remove(root: string, ...names: readonly string[]): void {
  for (const name of names) rmSync(join(root, name), { recursive: true })
}

function layBase(root: string): void {
  write(root, { a: '1', b: '1', 'folder/a': '1', 'folder/b': '1', 'opaque/a': '1', 'deep/er/a': '1', 'twice/a': '1' })
  write(root, { 'gone/a': '1', 'back/a': '1', 'to-file/a': '1', 'to-folder': '1', 'closed/in/a': '1' })
}

/** What the container's own upper directory has before. */
function changeFirst(root: string): void {
  write(root, { own: '2', 'own-folder/a': '2', 'own-folder/b': '2', 'to-be-hidden/a': '2', b: '2', 'deep/er/b': '2' })
  linkSync(join(root, 'own'), join(root, 'own-link'))
  remove(root, 'gone', 'back', 'to-file', 'to-folder', 'opaque', 'twice', 'closed')
  write(root, { 'to-file': '2', 'to-folder/a': '2', 'opaque/b': '2', 'twice/b': '2', 'closed/in/b': '2' })
  chmodSync(root, 0o751)
}

/** What the change does: to things of the layers, to things of the upper directory, and to what is not there. */
function changeAgain(root: string): void {
  write(root, { new: '3', 'new-folder/a': '3', 'deep/er/c': '3', 'closed/in/c': '3' })
  linkSync(join(root, 'new'), join(root, 'new-folder/link'))
  symlinkSync('nowhere', join(root, 'symlink'))
  mknod(join(root, 'fifo'), 0o010644)
  writeFileSync(Buffer.from(`${root}/latin-\xe9`, 'latin1'), 'bytes')
  chownSync(join(root, 'own-folder/a'), 33, 34)
  chmodSync(join(root, 'own-folder/a'), 0o4711)
  setXattr(join(root, 'a'), 'user.note', Buffer.from('3'))
  setXattr(join(root, 'new'), 'security.capability', capability)
  remove(root, 'own-folder/b', 'to-be-hidden', 'folder/a', 'opaque', 'twice', 'own-link', 'to-folder', 'to-file', 'b')
  write(root, { 'opaque/c': '3', 'back/b': '3', 'to-file/b': '3', 'own-link': '3', 'to-folder': '3', gone: '3' })
  renameSync(join(root, 'deep/er/b'), join(root, 'moved'))
  utimesSync(join(root, 'new-folder'), 1, 1)
}

/** cap_net_raw=ep, as vfs_cap_data version 2. Source: capabilities(7), linux/capability.h. */
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')

async function working(store: Store, id: string, work: (root: string) => void): Promise<void> {
  await using root = await useRoot(store, id)
  work(root.path)
}

async function makeContainer(t: TestContext, driver: OverlayDriver): Promise<{ store: Store; it: ContainerRecord }> {
  const store = { ...(await emptyStore(t)), driver }
  const base = await createContainer(store, { config: scratchConfig })
  await working(store, base.id, layBase)
  await seal(store, base.id, sealing)
  const { layers, layerDescriptors, config } = requireContainer(store, base.id)
  return { store, it: await createContainer(store, { config, layers, layerDescriptors }) }
}

/** Whoever stands in a mount keeps it from being unmounted. */
async function standingIn(folder: string, t: TestContext): Promise<() => Promise<void>> {
  const shell = spawn('sh', ['-c', 'echo; read -r _'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => shell.kill('SIGKILL'))
  await new Promise((resolve) => shell.stdout.once('data', resolve))
  return async () => {
    const end = new Promise((resolve) => shell.once('exit', resolve))
    shell.stdin.end()
    await end
  }
}

async function topLayer(store: Store, id: string): Promise<string> {
  return JSON.parse(Buffer.from(await seal(store, id, sealing)).toString()).layers.at(-1).digest
}

/** Some machines give /dev/fuse to root only. */
function has(t: TestContext, driver: OverlayDriver): boolean {
  if (driver !== 'fuse-overlayfs') return true
  if (!needs(t, 'fuse-overlayfs')) return false
  try {
    closeSync(openSync('/dev/fuse', 'r+'))
    return true
  } catch {
    t.skip('/dev/fuse cannot be opened by this user')
    return false
  }
}

const situations = ['not mounted', 'mounted', 'in use'] as const

for (const driver of ['overlay', 'fuse-overlayfs', 'copy'] as const) {
  for (const situation of situations) {
    test(`${driver}: a container with changes that is ${situation} gets the change as if made in its mount`, async (t) => {
      if (!has(t, driver)) return
      const { store, it } = await makeContainer(t, driver)
      const expected = await makeContainer(t, driver)
      await working(expected.store, expected.it.id, changeFirst)
      await working(expected.store, expected.it.id, changeAgain)
      await working(store, it.id, changeFirst)
      const path = situation === 'not mounted' ? undefined : await mountForUser(store, it.id)
      const leave = situation === 'in use' && path !== undefined ? await standingIn(path, t) : undefined
      let seen: string[] = []
      const given = await changeRoot(store, it.id, 'test', async (root) => {
        changeAgain(root)
        // The overlay of FUSE shows another time than the file gets when it is closed.
        seen = treeOf(root).map(withoutTime)
        return 'given'
      })
      assert.equal(given, 'given')
      if (path !== undefined) {
        assert.ok(isMounted(requireContainer(store, it.id)))
        assert.deepEqual(treeOf(path).map(withoutTime), seen)
      }
      await leave?.()
      if (path !== undefined) await unmountForUser(store, it.id)
      await working(store, it.id, (root) => {
        assert.deepEqual(treeOf(root).map(withoutTime), seen)
        assert.equal(lstatSync(join(root, 'new-folder')).mtimeMs, 1000)
        assert.deepEqual(getXattr(join(root, 'new'), 'security.capability')?.subarray(0, 20), capability)
        assert.equal(lstatSync(join(root, 'new')).ino, lstatSync(join(root, 'new-folder/link')).ino)
      })
      assert.equal(existsSync(join(containerDir(store, it.id), 'change')), false)
      assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
      assert.equal(await topLayer(store, it.id), await topLayer(expected.store, expected.it.id))
    })
  }

  test(`${driver}: an unchanged container gives the layer that its mount would`, async (t) => {
    if (!has(t, driver)) return
    const { store, it } = await makeContainer(t, driver)
    const expected = await makeContainer(t, driver)
    await working(expected.store, expected.it.id, changeFirst)
    await changeRoot(store, it.id, 'test', async (root) => changeFirst(root))
    assert.equal(await topLayer(store, it.id), await topLayer(expected.store, expected.it.id))
  })

  test(`${driver}: a change that fails leaves the container as it was`, async (t) => {
    if (!has(t, driver)) return
    const { store, it } = await makeContainer(t, driver)
    await working(store, it.id, changeFirst)
    let before: string[] = []
    await working(store, it.id, (root) => {
      before = treeOf(root)
    })
    const error = await failure(
      changeRoot(store, it.id, 'test', async (root) => {
        changeAgain(root)
        throw new Error('it went wrong')
      }),
    )
    assert.match(error.message, /^test .*: it went wrong$/)
    await working(store, it.id, (root) => assert.deepEqual(treeOf(root), before))
    assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
  })
}

function withoutTime(line: string): string {
  return line.replace(/ \d{9,}/, '')
}

test('a container without layers, empty and with changes', async (t) => {
  const store = await emptyStore(t)
  const { id } = await createContainer(store, { config: scratchConfig })
  await changeRoot(store, id, 'test', async (root) => write(root, { a: '1', 'b/c': '1' }))
  await changeRoot(store, id, 'test', async (root) => remove(root, 'b'))
  await working(store, id, (root) => assert.deepEqual(readdirSync(root), ['a']))
  // A removal of what no layer has leaves no trace in the image.
  assert.deepEqual(readdirSync(join(containerDir(store, id), 'upper/diff')), ['a'])
})

test('changes at the same time come one after the other', async (t) => {
  const { store, it } = await makeContainer(t, 'overlay')
  const count = async (root: string) => {
    const before = Number(readFileSync(join(root, 'a'), 'utf8'))
    await setTimeout(5)
    writeFileSync(join(root, 'a'), `${before + 1}`)
  }
  await Promise.all(Array.from({ length: 4 }, () => changeRoot(store, it.id, 'test', count)))
  await working(store, it.id, (root) => assert.equal(readFileSync(join(root, 'a'), 'utf8'), '5'))
})

test('what the change left mounted goes with it', async (t) => {
  const { store, it } = await makeContainer(t, 'overlay')
  const { MS, mount } = await import('../../sdk/namespace/libc.js')
  const error = await failure(
    changeRoot(store, it.id, 'test', async (root) =>
      mount(join(root, 'folder'), join(root, 'deep'), null, MS.BIND, null),
    ),
  )
  assert.match(error.message, /something that was started in it still runs/)
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
  await working(store, it.id, (root) => assert.deepEqual(readdirSync(join(root, 'deep')), ['er']))
})

test('a signal stops it, and nothing is changed', async (t) => {
  const { store, it } = await makeContainer(t, 'overlay')
  const stop = new AbortController()
  const change = async (root: string) => {
    write(root, { new: '1' })
    stop.abort()
  }
  assert.equal((await failure(changeRoot(store, it.id, 'test', change, stop.signal))).code, 'ABORTED')
  await working(store, it.id, (root) => assert.equal(existsSync(join(root, 'new')), false))
})

for (const situation of ['not mounted', 'in use'] as const) {
  test(`killed at any instant, ${situation}: the container is as before or as after`, async (t) => {
    const { store, it } = await makeContainer(t, 'overlay')
    // Every file of one change says the same number, and there are as many files as it says.
    await changeRoot(store, it.id, 'test', async (root) => numbered(root, 0))
    const path = situation === 'in use' ? await mountForUser(store, it.id) : undefined
    const leave = path === undefined ? undefined : await standingIn(path, t)
    const seen = new Set<string>()
    for (let round = 1; round <= rounds; round++) {
      const child = startChild('change-root-child', store.root, store.runroot, it.id, `${round}`, `${round / rounds}`)
      const lines = []
      for await (const line of child.lines) lines.push(line)
      assert.deepEqual(await child.ended, { end: 'SIGKILL', stderr: '' })
      const pending = existsSync(join(containerDir(store, it.id), 'change'))
      const found = await numberIn(store, it.id)
      const last = Number(lines.at(-1))
      assert.ok(found === last || found === last + 1, `found ${found} after ${lines.join(' ')}`)
      seen.add(pending ? 'finished by who came next' : found === last ? 'before' : 'after')
    }
    t.diagnostic([...seen].sort().join(', '))
    await leave?.()
    if (path !== undefined) await unmountForUser(store, it.id)
    assert.equal(isMountPoint(join(containerDir(store, it.id), 'merged')), false)
  })
}

const rounds = 6

function numbered(root: string, number: number): void {
  rmSync(join(root, 'numbers'), { recursive: true, force: true })
  for (let i = 0; i < 40; i++) write(root, { [`numbers/${i % 4}/${number}-${i}`]: `${number}` })
}

async function numberIn(store: Store, id: string): Promise<number> {
  let numbers: number[] = []
  await working(store, id, (root) => {
    const names = readdirSync(join(root, 'numbers')).flatMap((folder) => readdirSync(join(root, 'numbers', folder)))
    assert.equal(names.length, 40, names.join(' '))
    numbers = names.map((name) => Number(name.split('-')[0]))
  })
  assert.equal(new Set(numbers).size, 1, numbers.join(' '))
  return numbers[0] as number
}
