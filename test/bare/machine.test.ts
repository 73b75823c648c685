import assert from 'node:assert/strict'
import { test } from 'node:test'
import { command, lane } from '../lane.js'

test('this is the bare lane', () => assert.equal(lane(), 'bare'))

for (const program of ['newuidmap', 'newgidmap', 'crun', 'runc', 'podman', 'buildah', 'fuse-overlayfs'])
  test(`${program} is out of sight`, async () => {
    assert.notEqual((await command(['sh', '-c', `command -v ${program}`])).code, 0)
  })

test('a namespace with one id can be made', async () => {
  const { stdout } = await command(['unshare', '-r', 'cat', '/proc/self/uid_map'])
  assert.match(stdout, new RegExp(`^\\s+0\\s+${process.getuid?.()}\\s+1\\n$`))
})
