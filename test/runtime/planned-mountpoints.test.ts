import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Mountpoint, missingMountpoints, removeMountpoints } from '../../sdk/runtime/mountpoints.js'
import { busyboxRootfs, inside, prepare, snapshot } from './busybox-rootfs.js'

test('mount points are told before they are made, and can be removed by that alone', async (t) => {
  if (!inside) return t.skip('root of a namespace is needed')
  using rootfs = busyboxRootfs()
  const before = snapshot(rootfs.path)
  const told: Mountpoint[] = []
  const seen: string[][] = []
  await prepare(rootfs, {
    onMountpoints: async (missing) => {
      told.push(...missing)
      seen.push(snapshot(rootfs.path))
    },
  })
  // A kill here leaves what was made, and the note of it.
  assert.deepEqual(seen, [before])
  assert.notDeepEqual(snapshot(rootfs.path), before)
  removeMountpoints(rootfs.path, told)
  assert.deepEqual(snapshot(rootfs.path), before)
})

test('what is missing is named once, parents first', () => {
  using rootfs = busyboxRootfs()
  const targets = [
    { path: '/a/b', kind: 'dir' },
    { path: '/a/c', kind: 'file' },
    { path: '/etc', kind: 'dir' },
  ] as const
  const missing = missingMountpoints(rootfs.path, targets)
  assert.deepEqual(
    missing.map(({ path, kind }) => `${path} ${kind}`),
    ['/a dir', '/a/b dir', '/a/c file'],
  )
})
