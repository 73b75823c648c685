import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type MountTarget, makeMountpoints, removeMountpoints } from '../../sdk/runtime/mountpoints.js'
import { busyboxRootfs, snapshot } from './busybox-rootfs.js'

const cases: [title: string, target: MountTarget, made: string[]][] = [
  ['makes a directory', { path: '/proc', kind: 'dir' }, ['/proc']],
  ['makes a file', { path: '/etc/hosts', kind: 'file' }, ['/etc/hosts']],
  ['makes parents', { path: '/srv/a/b', kind: 'file' }, ['/srv', '/srv/a', '/srv/a/b']],
  ['uses what is there', { path: '/etc/passwd', kind: 'file' }, []],
  ['makes what a link points to, inside', { path: '/link/x', kind: 'dir' }, ['/outside', '/outside/x']],
]

for (const [title, target, made] of cases)
  test(`${title}, and takes it away again`, () => {
    using rootfs = busyboxRootfs()
    symlinkSync('../../outside', join(rootfs.path, 'link'))
    const before = snapshot(rootfs.path)
    const points = makeMountpoints(rootfs.path, [target])
    assert.deepEqual(
      points.map(({ path }) => path),
      made,
    )
    assert.equal(existsSync(join(rootfs.folder, 'outside')), false)
    removeMountpoints(rootfs.path, JSON.parse(JSON.stringify(points)))
    assert.deepEqual(snapshot(rootfs.path), before)
  })

test('keeps what was filled meanwhile', () => {
  using rootfs = busyboxRootfs()
  const points = makeMountpoints(rootfs.path, [
    { path: '/srv/cache', kind: 'dir' },
    { path: '/etc/hosts', kind: 'file' },
  ])
  writeFileSync(join(rootfs.path, 'srv/cache/x'), '')
  writeFileSync(join(rootfs.path, 'etc/hosts'), 'x')
  removeMountpoints(rootfs.path, points)
  assert.deepEqual(readdirSync(join(rootfs.path, 'srv/cache')), ['x'])
  assert.ok(existsSync(join(rootfs.path, 'etc/hosts')))
})

test('keeps the time that someone else gave the parent', () => {
  using rootfs = busyboxRootfs()
  const points = makeMountpoints(rootfs.path, [{ path: '/etc/hosts', kind: 'file' }])
  utimesSync(join(rootfs.path, 'etc'), 5, 1234567)
  removeMountpoints(rootfs.path, points)
  assert.equal(lstatSync(join(rootfs.path, 'etc')).mtimeMs, 1234567000)
})

test('removes nothing through a link that was put in its way', () => {
  using rootfs = busyboxRootfs()
  const points = makeMountpoints(rootfs.path, [{ path: '/srv/cache', kind: 'dir' }])
  removeMountpoints(rootfs.path, points.slice(1))
  removeMountpoints(rootfs.path, points.slice(0, 1))
  mkdirSync(join(rootfs.folder, 'other/cache'), { recursive: true })
  symlinkSync('../other', join(rootfs.path, 'srv'))
  removeMountpoints(rootfs.path, points)
  assert.ok(existsSync(join(rootfs.folder, 'other/cache')))
})

test('refuses a file where a directory is mounted, and leaves nothing', () => {
  using rootfs = busyboxRootfs()
  const before = snapshot(rootfs.path)
  const targets = [
    { path: '/proc', kind: 'dir' as const },
    { path: '/etc/passwd', kind: 'dir' as const },
  ]
  assert.throws(() => makeMountpoints(rootfs.path, targets), { code: 'INVALID' })
  assert.throws(() => makeMountpoints(rootfs.path, [{ path: '/etc', kind: 'file' }]), { code: 'INVALID' })
  assert.deepEqual(snapshot(rootfs.path), before)
})
