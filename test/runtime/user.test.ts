import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { resolveUser } from '../../sdk/runtime/user.js'
import { busyboxRootfs } from './busybox-rootfs.js'

const cases: [text: string | undefined, expected: ReturnType<typeof resolveUser>][] = [
  [undefined, { uid: 0, gid: 0, groups: [], home: '/root' }],
  ['', { uid: 0, gid: 0, groups: [], home: '/root' }],
  ['web', { uid: 1000, gid: 1000, groups: [50, 51], home: '/home/web' }],
  ['1000', { uid: 1000, gid: 1000, groups: [50, 51], home: '/home/web' }],
  ['web:log', { uid: 1000, gid: 51, groups: [], home: '/home/web' }],
  ['web:7', { uid: 1000, gid: 7, groups: [], home: '/home/web' }],
  ['7', { uid: 7, gid: 0, groups: [], home: '/' }],
  ['7:staff', { uid: 7, gid: 50, groups: [], home: '/' }],
  ['web:', { uid: 1000, gid: 1000, groups: [50, 51], home: '/home/web' }],
  [':staff', { uid: 0, gid: 50, groups: [], home: '/root' }],
]

for (const [text, expected] of cases)
  test(`finds ${JSON.stringify(text)}`, () => {
    using rootfs = busyboxRootfs()
    assert.deepEqual(resolveUser(rootfs.path, text), expected)
  })

const faults: [text: string, code: string][] = [
  ['nobody-here', 'NOT_FOUND'],
  ['web:nobody-here', 'NOT_FOUND'],
  ['99999999999', 'USAGE'],
]

for (const [text, code] of faults)
  test(`refuses ${text}`, () => {
    using rootfs = busyboxRootfs()
    assert.throws(() => resolveUser(rootfs.path, text), { code })
  })

test('never reads the passwd of the host through a link', () => {
  using rootfs = busyboxRootfs()
  rmSync(join(rootfs.path, 'etc/passwd'))
  symlinkSync('/../../../etc/passwd', join(rootfs.path, 'etc/passwd'))
  assert.throws(() => resolveUser(rootfs.path, 'daemon'), { code: 'UNSAFE' })
})

test('does not wait at a fifo', () => {
  using rootfs = busyboxRootfs()
  rmSync(join(rootfs.path, 'etc/passwd'))
  execFileSync('mkfifo', [join(rootfs.path, 'etc/passwd')])
  assert.equal(resolveUser(rootfs.path, '5').uid, 5)
})
