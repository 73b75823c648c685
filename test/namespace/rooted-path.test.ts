import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { resolveInRoot } from '../../sdk/namespace/rooted-path.js'

let root = ''

before(() => {
  root = mkdtempSync(join(tmpdir(), 'builder-rooted-'))
  mkdirSync(join(root, 'usr/lib'), { recursive: true })
  symlinkSync('usr/lib', join(root, 'lib'))
  symlinkSync('/etc/passwd', join(root, 'absolute'))
  symlinkSync('../../../../etc/passwd', join(root, 'usr/upward'))
  symlinkSync('/lib/../../upward', join(root, 'usr/twice'))
  symlinkSync('loop', join(root, 'loop'))
  symlinkSync('/', join(root, 'self'))
})

after(() => rmSync(root, { recursive: true }))

const cases: [title: string, path: string, expected: string][] = [
  ['keeps a plain path', '/usr/lib', '/usr/lib'],
  ['counts a relative path from the root', 'usr/lib', '/usr/lib'],
  ['follows a link in the middle', '/lib/x', '/usr/lib/x'],
  ['follows a link at the end', '/lib', '/usr/lib'],
  ['reads an absolute link from the root', '/absolute', '/etc/passwd'],
  ['stops .. of a link at the root', '/usr/upward', '/etc/passwd'],
  ['stops .. of the path at the root', '/../../etc', '/etc'],
  ['goes up from where a link led to', '/lib/../x', '/usr/x'],
  ['follows a link in a link', '/usr/twice', '/upward'],
  ['passes through a link to the root', '/self/self/lib', '/usr/lib'],
  ['keeps what does not exist', '/no/such/../path', '/no/path'],
  ['is the root for nothing', '/', ''],
]

for (const [title, path, expected] of cases)
  test(title, () => assert.equal(resolveInRoot(root, path), join(root, expected).replace(/\/$/, '')))

test('keeps the last link when told', () => {
  assert.equal(resolveInRoot(root, '/lib', { followLast: false }), join(root, 'lib'))
  assert.equal(resolveInRoot(root, '/self/lib', { followLast: false }), join(root, 'lib'))
})

test('refuses a loop', () => {
  assert.throws(() => resolveInRoot(root, '/loop'), { code: 'UNSAFE' })
})
