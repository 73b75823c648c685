import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeWhiteout } from '../../sdk/layer/whiteout.js'
import { emptyTmp, removeTree } from '../../sdk/store/remove-tree.js'
import { temporaryFolder } from '../../sdk/store/temporary.js'
import { tempDir } from '../lane.js'
import { emptyStore, failure, startChild } from './fixture.js'

for (const [title, fill] of [
  [
    'files, links and folders',
    (path: string) => {
      writeFileSync(join(path, 'file'), 'x')
      symlinkSync('/', join(path, 'link'))
      mkdirSync(join(path, 'a/b/c'), { recursive: true })
    },
  ],
  [
    'a name that is not UTF-8',
    (path: string) => writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe])]), ''),
  ],
  [
    'a folder that nobody may enter',
    (path: string) => {
      mkdirSync(join(path, 'shut/in'), { recursive: true })
      chmodSync(join(path, 'shut'), 0)
    },
  ],
  ['a whiteout', (path: string) => makeWhiteout(join(path, 'gone'))],
  [
    'folders deeper than a path can be',
    (path: string) =>
      spawnSync('sh', [
        '-c',
        'cd "$1" && i=0; while [ $i -lt 60 ]; do mkdir "$2" && cd -P "$2" || exit; i=$((i+1)); done',
        'sh',
        path,
        'd'.repeat(200),
      ]),
  ],
] as const)
  test(`${title} are removed`, async (t) => {
    const store = await emptyStore(t)
    const path = join(store.root, 'containers/x')
    mkdirSync(path)
    fill(path)
    await removeTree(store, path)
    assert.deepEqual([existsSync(path), readdirSync(join(store.root, 'tmp'))], [false, []])
  })

test('what a link points to stays', async (t) => {
  const store = await emptyStore(t)
  const outside = tempDir(t)
  writeFileSync(join(outside, 'mine'), 'x')
  const path = join(store.root, 'containers/x')
  mkdirSync(path)
  symlinkSync(outside, join(path, 'link'))
  await removeTree(store, path)
  assert.deepEqual(readdirSync(outside), ['mine'])
})

test('what is mounted below is not the store’s: refused, and nothing is touched', async (t) => {
  const store = await emptyStore(t)
  const outside = tempDir(t)
  writeFileSync(join(outside, 'mine'), 'x')
  const path = join(store.root, 'containers/x')
  mkdirSync(join(path, 'mnt'), { recursive: true })
  assert.equal(spawnSync('mount', ['--bind', outside, join(path, 'mnt')]).status, 0)
  t.after(() => spawnSync('umount', [join(path, 'mnt')]))
  const error = await failure(removeTree(store, path))
  assert.equal(error.code, 'IN_USE')
  assert.match(error.message, /mnt; unmount it first/)
  assert.deepEqual(readdirSync(join(path, 'mnt')), ['mine'])
})

test('the bytes that the disk gains are counted, hard links once at most', async (t) => {
  const store = await emptyStore(t)
  const path = join(store.root, 'containers/x')
  mkdirSync(path)
  writeFileSync(join(path, 'file'), Buffer.alloc(100_000))
  writeFileSync(join(store.root, 'kept'), Buffer.alloc(100_000))
  linkSync(join(store.root, 'kept'), join(path, 'shared'))
  const bytes = await removeTree(store, path)
  assert.ok(bytes >= 100_000 && bytes < 150_000, `${bytes}`)
})

test('nothing to remove is no error', async (t) => {
  const store = await emptyStore(t)
  assert.equal(await removeTree(store, join(store.root, 'containers/none')), 0)
})

test('of what lies under tmp, that of the living stays', async (t) => {
  const store = await emptyStore(t)
  const mine = temporaryFolder(store)
  const { ended, lines, process } = startChild('temporary-child', store.root)
  await lines.next()
  mkdirSync(join(store.root, 'tmp/stray/in'), { recursive: true })
  assert.equal((await emptyTmp(store)).count, 1)
  assert.equal(readdirSync(join(store.root, 'tmp')).length, 2)
  process.kill('SIGKILL')
  await ended
  assert.equal((await emptyTmp(store)).count, 1)
  assert.ok(existsSync(mine))
})
