import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type LockedPackage, lockText, readPackageLock, writePackageLock } from '../../sdk/distro/package-lock.js'
import { tempDir } from '../lane.js'

const hello: LockedPackage = {
  name: 'hello',
  version: '1.0',
  release: '1',
  arch: 'noarch',
  repository: 'test',
  location: 'hello-1.0-1.noarch.rpm',
  checksum: `sha256:${'a'.repeat(64)}`,
}
const world: LockedPackage = { ...hello, name: 'world', epoch: 2, location: 'world.rpm' }
const request = { words: ['install', 'hello'], releasever: '40', docs: false }

test('a lock is read back, and the same packages give the same bytes in any order', (t) => {
  const path = join(tempDir(t), 'packages.lock')
  assert.equal(readPackageLock(path, 'dnf', request), undefined)
  writePackageLock(path, { manager: 'dnf', request, packages: [world, { ...hello, epoch: 0 }] })
  const { epoch: _, ...plain } = { epoch: 0, ...hello }
  assert.deepEqual(readPackageLock(path, 'dnf', request)?.packages, [plain, world])
  const mixed = { docs: false, none: undefined, empty: [], words: ['hello', 'install', 'hello'], releasever: '40' }
  assert.equal(readFileSync(path, 'utf8'), lockText({ manager: 'dnf', request: mixed, packages: [hello, world] }))
  assert.match(readFileSync(path, 'utf8'), /\}\n$/)
  assert.deepEqual(readdirSync(join(path, '..')), ['packages.lock'])
})

const whole = { version: 1, manager: 'dnf', request, packages: [hello] }
const bad: readonly (readonly [string, unknown, RegExp])[] = [
  ['no JSON', undefined, /packages\.lock/],
  ['of a version to come', { ...whole, version: 2 }, /its version 2 is not 1; remove the file/],
  ['of apt', { ...whole, manager: 'apt' }, /it is a lock of apt, not of dnf; name another file/],
  ['of another manager', { ...whole, manager: 'zypper' }, /manager is neither dnf nor apt/],
  [
    'of another request',
    { ...whole, request: { ...request, releasever: '39', langs: ['de'] } },
    /another request: langs was de and is absent; releasever was 39 and is 40; remove the file, and the next run writes it anew/,
  ],
  ['with a package without its checksum', { ...whole, packages: [{ ...hello, checksum: 'md5:1' }] }, /packages\[0\]/],
]
for (const [what, content, message] of bad)
  test(`a lock ${what} is refused`, (t) => {
    const path = join(tempDir(t), 'packages.lock')
    writeFileSync(path, content === undefined ? 'no json' : JSON.stringify(content))
    assert.throws(() => readPackageLock(path, 'dnf', request), { code: 'INVALID', message })
  })

test('a folder that is not there is said', (t) => {
  const path = join(tempDir(t), 'none/packages.lock')
  assert.throws(() => writePackageLock(path, { manager: 'dnf', request, packages: [] }), {
    code: 'SYSTEM',
    message: /write lock file .*: it does not exist; check the name/,
  })
})
