import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, rmdirSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { BuilderError } from '../../sdk/errors.js'
import { layerStream, packLayer } from '../../sdk/layer/pack.js'
import { listXattrs, mknod, setMtime, setXattr } from '../../sdk/namespace/libc.js'
import { tempDir } from '../lane.js'
import { tarBytes } from './tree.js'

/** Names of a tar's members, in order. Reads plain ustar only. */
function names(tar: Buffer): string[] {
  const found: string[] = []
  for (let at = 0; tar[at] !== 0; ) {
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8)
    if (tar[at + 156] !== 'x'.charCodeAt(0)) found.push(tar.toString('latin1', at, tar.indexOf(0, at)))
    at += 512 + 512 * Math.ceil(size / 512)
  }
  return found
}

test('the same tree gives the same bytes, in whatever order and under whatever umask it was made', async (t) => {
  const make = (order: readonly string[], umask: number) => {
    const root = tempDir(t)
    const before = process.umask(umask)
    for (const name of order) {
      mkdirSync(`${root}/${name}`)
      writeFileSync(`${root}/${name}/file`, name)
      chmodSync(`${root}/${name}`, 0o755)
      chmodSync(`${root}/${name}/file`, 0o644)
    }
    process.umask(before)
    for (const name of order) linkSync(`${root}/${name}/file`, `${root}/${name}/again`)
    return root
  }
  const letters = ['b', 'a', 'B', 'a.b', 'é', 'a-b']
  const first = await packLayer(make(letters, 0o022), { clamp: 1000 })
  const second = await packLayer(make(letters.toReversed(), 0o077), { clamp: 1000 })
  assert.deepEqual(second, first)
})

test('names are in the order of their bytes, each directory followed by its content', async (t) => {
  const root = tempDir(t)
  for (const name of ['a', 'a.b', 'a-b', 'B', 'é', '~']) mkdirSync(`${root}/${name}`)
  writeFileSync(`${root}/a/z`, '')
  const found = names(await tarBytes(root, { clamp: 0 }))
  assert.deepEqual(found, ['B/', 'a/', 'a/z', 'a-b/', 'a.b/', '~/', '\xc3\xa9/'])
})

test('the bytes of a known tree are known', async (t) => {
  const root = join(tempDir(t), 'upper')
  mkdirSync(`${root}/etc`, { recursive: true })
  writeFileSync(`${root}/etc/motd`, 'hello\n')
  chmodSync(root, 0o755)
  chmodSync(`${root}/etc`, 0o755)
  chmodSync(`${root}/etc/motd`, 0o644)
  const packed = await packLayer(root, { clamp: 1_700_000_000, root: 'entry' })
  // A change of this digest changes every image that anybody has built.
  assert.deepEqual(packed, { diffID: golden, size: 3072, entries: 3 })
})

test('what fits ustar has no pax record', async (t) => {
  const root = tempDir(t)
  writeFileSync(`${root}/file`, 'x')
  assert.equal((await tarBytes(root, { clamp: 1000 })).length, 512 + 512 + 1024)
  assert.equal((await tarBytes(root)).length, 3 * 512 + 512 + 1024)
})

test('times newer than the clamp are written as the clamp, older ones stay', async (t) => {
  const root = tempDir(t)
  for (const [name, seconds] of [
    ['new', 3000],
    ['old', 10],
  ] as const) {
    writeFileSync(`${root}/${name}`, '')
    utimesSync(`${root}/${name}`, seconds, seconds)
  }
  const tar = await tarBytes(root, { clamp: 1000 })
  assert.equal(Number.parseInt(tar.toString('latin1', 136, 147), 8), 1000)
  assert.equal(Number.parseInt(tar.toString('latin1', 512 + 136, 512 + 147), 8), 10)
  assert.equal(lstatSync(`${root}/new`).mtimeMs, 3_000_000)
})

test('clamped in place, the directory is what its layer says', async (t) => {
  const root = tempDir(t)
  mkdirSync(`${root}/d`)
  writeFileSync(`${root}/d/new`, 'x')
  linkSync(`${root}/d/new`, `${root}/d/link`)
  setMtime(`${root}/d/new`, 1_000_000_000_001n)
  const packed = await packLayer(root, { clamp: 1000, clampInPlace: true, root: 'entry' })
  assert.deepEqual(
    ['', 'd', 'd/new', 'd/link'].map((name) => lstatSync(join(root, name)).mtimeMs),
    [1e6, 1e6, 1e6, 1e6],
  )
  assert.deepEqual(await packLayer(root, { root: 'entry' }), packed)
})

test('what is to be skipped is not there, nor what is below it', async (t) => {
  const root = tempDir(t)
  for (const name of ['keep', 'proc', 'keep/proc']) mkdirSync(`${root}/${name}`)
  writeFileSync(`${root}/proc/x`, '')
  writeFileSync(`${root}/caf\u00e9`, '')
  const tar = await tarBytes(root, { clamp: 0, skip: new Set(['proc', 'caf\xc3\xa9']) })
  assert.deepEqual(names(tar), ['keep/', 'keep/proc/'])
})

test('a socket is left out', async (t) => {
  const root = tempDir(t)
  const server = createServer().listen(`${root}/socket`)
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => server.close())
  assert.equal((await packLayer(root)).entries, 0)
})

test('whiteouts come before their siblings, opaque markers right after their directory', async (t) => {
  const root = tempDir(t)
  mkdirSync(`${root}/d`)
  setXattr(`${root}/d`, 'user.overlay.opaque', Buffer.from('y'))
  writeFileSync(`${root}/d/a`, '')
  mknod(`${root}/d/z`, 0o020000)
  mknod(`${root}/x`, 0o020000)
  const tar = await tarBytes(root, { clamp: 0 })
  assert.deepEqual(names(tar), ['.wh.x', 'd/', 'd/.wh..wh..opq', 'd/.wh.z', 'd/a'])
})

test("a driver's own attributes and marker are not packed", async (t) => {
  const root = tempDir(t)
  mkdirSync(`${root}/d`)
  for (const name of ['user.overlay.origin', 'user.overlay.impure', 'user.fuseoverlayfs.origin'])
    setXattr(`${root}/d`, name, Buffer.from('y'))
  setXattr(`${root}/d`, 'user.fuseoverlayfs.opaque', Buffer.from('y'))
  writeFileSync(`${root}/d/.wh..wh..opq`, '')
  const tar = await tarBytes(root, { clamp: 0 })
  assert.deepEqual(names(tar), ['d/', 'd/.wh..wh..opq'])
  assert.doesNotMatch(tar.toString('latin1'), /overlay/)
})

const refused: readonly { title: string; make: (root: string) => void; code: string; says: RegExp }[] = [
  {
    title: 'a file whose name begins with .wh.',
    make: (root) => writeFileSync(`${root}/.wh.x`, ''),
    code: 'INVALID',
    says: /\/d\/\.wh\.x: .*means a removal/,
  },
  {
    title: 'an opaque marker that no driver made',
    make: (root) => writeFileSync(`${root}/.wh..wh..opq`, ''),
    code: 'INVALID',
    says: /\/d\/\.wh\.\.wh\.\.opq/,
  },
  {
    title: 'a directory that overlayfs has only renamed',
    make: (root) => {
      mkdirSync(`${root}/new`)
      setXattr(`${root}/new`, 'user.overlay.redirect', Buffer.from('/old'))
    },
    code: 'UNSUPPORTED',
    says: /\/d\/new: its content is in a layer below/,
  },
  {
    title: 'an attribute that a tar cannot name',
    make: (root) => setXattr(root, 'user.a=b', Buffer.from('1')),
    code: 'UNSUPPORTED',
    says: /user\.a=b/,
  },
]
for (const { title, make, code, says } of refused)
  test(`refused: ${title}`, async (t) => {
    const root = tempDir(t)
    mkdirSync(`${root}/d`)
    make(`${root}/d`)
    await assert.rejects(packLayer(root), (error: BuilderError) => {
      assert.ok(error instanceof BuilderError)
      assert.equal(error.code, code)
      assert.match(error.message, says)
      return true
    })
  })

test('a directory that is not there', async (t) => {
  await assert.rejects(packLayer(join(tempDir(t), 'none')), { code: 'SYSTEM', reason: 'it does not exist' })
})

test('a path that is too long for the system is named', async (t) => {
  const root = tempDir(t)
  const before = process.cwd()
  t.after(() => process.chdir(before))
  process.chdir(root)
  for (let i = 0; i < 25; i++) {
    mkdirSync('d'.repeat(200))
    process.chdir('d'.repeat(200))
  }
  await assert.rejects(packLayer(root), { code: 'SYSTEM', reason: 'its name or the path to it is too long' })
  // Nor could the test's folder be removed by its path.
  for (let i = 0; i < 25; i++) {
    process.chdir('..')
    rmdirSync('d'.repeat(200))
  }
})

test('the sink gets the bytes, and keeps them', async (t) => {
  const root = tempDir(t)
  writeFileSync(`${root}/f`, Buffer.alloc(12_000_000, 'content '))
  const chunks: Uint8Array[] = []
  const { diffID } = await packLayer(root, { sink: (chunk) => void chunks.push(chunk) })
  assert.equal(`sha256:${createHash('sha256').update(Buffer.concat(chunks)).digest('hex')}`, diffID)
})

test('a signal stops packing', async (t) => {
  const root = tempDir(t)
  writeFileSync(`${root}/f`, Buffer.alloc(100_000_000))
  await assert.rejects(packLayer(root, { signal: AbortSignal.abort() }), { code: 'ABORTED' })
  const controller = new AbortController()
  const packing = packLayer(root, { signal: controller.signal })
  setImmediate(() => controller.abort(new Error('enough')))
  await assert.rejects(packing, { code: 'ABORTED' })
})

test('a stream that is not read to its end leaves no file open', async (t) => {
  const root = tempDir(t)
  writeFileSync(`${root}/f`, Buffer.alloc(5_000_000))
  const open = () => readdirSync('/proc/self/fd').length
  const before = open()
  for await (const _ of layerStream(root)) break
  assert.equal(open(), before)
})

test('packing changes nothing', async (t) => {
  const root = tempDir(t)
  writeFileSync(`${root}/f`, 'x')
  const before = lstatSync(`${root}/f`)
  await packLayer(root, { clamp: 0 })
  assert.equal(lstatSync(`${root}/f`).ctimeMs, before.ctimeMs)
  assert.deepEqual(listXattrs(`${root}/f`), [])
})

const golden = 'sha256:5af11521b448b523a5f8daa84d433066f82df256a5b43e8f596670f9162cc949'
