import assert from 'node:assert/strict'
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
import type { BuilderError } from '../../sdk/errors.js'
import { isInUserNamespace } from '../../sdk/namespace/inside.js'
import { mknod, setXattr } from '../../sdk/namespace/libc.js'
import { isMountPoint } from '../../sdk/namespace/mountinfo.js'
import {
  foldOverlay,
  mountOverlay,
  type OverlayDriver,
  overlayDriver,
  settleOverlay,
  unmountOverlay,
} from '../../sdk/namespace/overlay.js'
import { needs, tempDir } from '../lane.js'
import { treeOf } from './tree.js'

const drivers: readonly OverlayDriver[] = ['overlay', 'fuse-overlayfs', 'copy']

/** A container's folder and two layers, top first; the upper one has a whiteout and an opaque folder. */
function makeLayers(t: TestContext): { dir: string; lowers: string[]; merged: string } {
  const folder = tempDir(t)
  const [dir, top, bottom] = ['container', 'top', 'bottom'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const part of ['upper/diff', 'work', 'merged']) mkdirSync(join(dir, part), { recursive: true })
  write(bottom, {
    'same/a': '1',
    'same/b': '2',
    'gone-above': 'x',
    'opaque/old': 'x',
    'to-folder': 'f',
    'to-file/a': 'f',
  })
  write(bottom, {
    'deep/er/file': 'deep',
    replaced: 'AAAA',
    mode: 'm',
    owner: 'o',
    'emptied/a': '1',
    'recreated/a': '1',
  })
  write(bottom, { 'moved/a': 'a', 'hard-1': 'h', 'file-above/a': 'x', 'partly/a': '1', 'partly/b': '2' })
  linkSync(join(bottom, 'hard-1'), join(bottom, 'hard-2'))
  symlinkSync('nowhere', join(bottom, 'link'))
  setXattr(join(bottom, 'mode'), 'user.note', Buffer.from('kept'))
  write(top, { 'opaque/new': 'n', 'file-above': 'now a file', 'same/c': '3' })
  mknod(join(top, 'gone-above'), 0o020000)
  setXattr(
    join(top, 'opaque'),
    isInUserNamespace() ? 'user.overlay.opaque' : 'trusted.overlay.opaque',
    Buffer.from('y'),
  )
  return { dir, lowers: [top, bottom], merged: join(dir, 'merged') }
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
    // The cache of FUSE shows another time than the file gets when it is closed.
    utimesSync(join(folder, name), 1_500_000_000, 1_500_000_000)
  }
}

/** Everything that a run may do to a root. */
function change(merged: string): void {
  write(merged, { new: 'n', 'new-folder/a/b': 'n', 'deep/er/second': 's' })
  const { atime, mtime } = lstatSync(join(merged, 'replaced'))
  writeFileSync(join(merged, 'replaced'), 'BBBB')
  utimesSync(join(merged, 'replaced'), atime, mtime)
  chmodSync(join(merged, 'mode'), 0o4711)
  chownSync(join(merged, 'owner'), 33, 34)
  for (const name of ['to-folder', 'to-file', 'recreated', 'partly/a', 'link'])
    rmSync(join(merged, name), { recursive: true })
  write(merged, { 'to-folder/inner': 'i', 'to-file': 'now a file', 'recreated/b': '2' })
  rmSync(join(merged, 'emptied/a'))
  mkdirSync(join(merged, 'moved-to'))
  renameSync(join(merged, 'moved/a'), join(merged, 'moved-to/a'))
  linkSync(join(merged, 'new'), join(merged, 'new-link'))
  symlinkSync('/new', join(merged, 'new-symlink'))
  setXattr(join(merged, 'new'), 'user.note', Buffer.from('new'))
  mknod(join(merged, 'fifo'), 0o010644)
  const bytes = Buffer.from(`${merged}/latin-\xe9`, 'latin1')
  writeFileSync(bytes, 'bytes')
  utimesSync(bytes, 1_500_000_000, 1_500_000_000)
  utimesSync(join(merged, 'deep'), 1, 1)
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

for (const driver of drivers) {
  test(`${driver}: layers look as the kernel's overlay shows them`, async (t) => {
    if (!has(t, driver)) return
    const { dir, lowers, merged } = makeLayers(t)
    await mountOverlay({ dir, lowers, driver: 'overlay' })
    const expected = treeOf(merged)
    await unmountOverlay(dir)
    await mountOverlay({ dir, lowers, driver })
    const seen = treeOf(merged)
    await unmountOverlay(dir)
    assert.deepEqual(seen, expected)
  })

  for (const reader of drivers) {
    test(`${driver}: ${reader} shows what was changed`, async (t) => {
      if (!has(t, driver) || !has(t, reader)) return
      const { dir, lowers, merged } = makeLayers(t)
      await mountOverlay({ dir, lowers, driver })
      change(merged)
      const changed = treeOf(merged)
      await unmountOverlay(dir)
      assert.equal(isMountPoint(merged), false)
      await mountOverlay({ dir, lowers, driver: reader })
      const seen = treeOf(merged)
      await unmountOverlay(dir)
      assert.deepEqual(seen, changed)
    })
  }

  test(`${driver}: what nobody changed leaves nothing in the upper directory`, async (t) => {
    if (!has(t, driver)) return
    const { dir, lowers } = makeLayers(t)
    await mountOverlay({ dir, lowers, driver })
    await unmountOverlay(dir)
    assert.deepEqual(readdirSync(join(dir, 'upper/diff')), [])
  })

  test(`${driver}: 500 layers`, async (t) => {
    if (!has(t, driver)) return
    const { dir, merged } = makeLayers(t)
    const lowers = Array.from({ length: 500 }, (_, i) => join(dir, 'layers', 'with-a-long-name'.repeat(4), `${i}`))
    for (const [i, lower] of lowers.entries()) write(lower, { [`f${i}`]: `${i}`, top: `${i}` })
    await mountOverlay({ dir, lowers, driver })
    const seen = [
      readdirSync(merged).length,
      readFileSync(join(merged, 'top'), 'utf8'),
      readFileSync(join(merged, 'f499'), 'utf8'),
    ]
    await unmountOverlay(dir)
    assert.deepEqual(seen, [501, '0', '499'])
  })

  test(`${driver}: a mount that is in use stays`, async (t) => {
    if (!has(t, driver)) return
    const { dir, lowers, merged } = makeLayers(t)
    await mountOverlay({ dir, lowers, driver })
    const back = process.cwd()
    process.chdir(merged)
    await assert.rejects(unmountOverlay(dir), { code: 'EBUSY' })
    process.chdir(back)
    await unmountOverlay(dir)
    assert.equal(isMountPoint(merged), false)
  })
}

test('501 layers are refused with a way out', async (t) => {
  const { dir } = makeLayers(t)
  const lowers = Array.from({ length: 501 }, (_, i) => join(dir, 'layers', `${i}`))
  for (const lower of lowers) mkdirSync(lower, { recursive: true })
  await assert.rejects(mountOverlay({ dir, lowers }), (error: BuilderError) => {
    assert.equal(error.code, 'UNSUPPORTED')
    assert.match(error.message, /501 layers: an overlay takes 500 layers at most; commit with --squash/)
    return true
  })
})

test('a layer that is missing is named', async (t) => {
  const { dir, lowers } = makeLayers(t)
  await assert.rejects(mountOverlay({ dir, lowers: [...lowers, '/lost'] }), { code: 'NOT_FOUND', object: '/lost' })
})

test('without layers the upper directory itself is the root', async (t) => {
  const { dir, merged } = makeLayers(t)
  for (const driver of drivers) {
    await mountOverlay({ dir, lowers: [], driver })
    writeFileSync(join(merged, driver), '')
    await unmountOverlay(dir)
  }
  assert.deepEqual(readdirSync(join(dir, 'upper/diff')).sort(), [...drivers].sort())
})

test('the copy of a killed process is the truth: mounted again, or settled', async (t) => {
  const { dir, lowers, merged } = makeLayers(t)
  await mountOverlay({ dir, lowers, driver: 'copy' })
  writeFileSync(join(merged, 'late'), 'l')
  // As when the namespace ended with its last process.
  const { umount } = await import('../../sdk/namespace/libc.js')
  umount(merged)
  await mountOverlay({ dir, lowers, driver: 'overlay' })
  assert.equal(readFileSync(join(merged, 'late'), 'utf8'), 'l')
  umount(merged)
  await settleOverlay(dir)
  assert.deepEqual([readdirSync(join(dir, 'upper/diff')), existsSync(join(dir, 'copy'))], [['late'], false])
})

test('a copy in use can be folded into the upper directory again and again', async (t) => {
  const { dir, lowers, merged } = makeLayers(t)
  await mountOverlay({ dir, lowers, driver: 'copy' })
  writeFileSync(join(merged, 'a'), '')
  await foldOverlay(dir)
  writeFileSync(join(merged, 'b'), '')
  await foldOverlay(dir)
  assert.deepEqual(readdirSync(join(dir, 'upper/diff')), ['a', 'b'])
  await unmountOverlay(dir)
})

test('the first driver that works is found, and one that is asked for is taken', async (t) => {
  const near = tempDir(t)
  assert.equal(await overlayDriver(undefined, near), 'overlay')
  assert.equal(await overlayDriver('copy', near), 'copy')
  assert.deepEqual(readdirSync(near), [])
  process.env.BUILDER_STORAGE_DRIVER = 'btrfs'
  t.after(() => delete process.env.BUILDER_STORAGE_DRIVER)
  await assert.rejects(overlayDriver(), { code: 'USAGE' })
})
