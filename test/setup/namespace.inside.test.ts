import assert from 'node:assert/strict'
import { chownSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command, tempDir } from '../lane.js'

test('an inside file is root and can give files away', (t) => {
  const folder = tempDir(t)
  mkdirSync(join(folder, 'web'))
  chownSync(join(folder, 'web'), 33, 33)
  assert.deepEqual([process.getuid?.(), statSync(join(folder, 'web')).uid], [0, 33])
})

test('an inside file mounts where only its lane sees it', async (t) => {
  const folder = tempDir(t)
  assert.deepEqual(await command(['mount', '-t', 'tmpfs', 'none', folder]), { stdout: '', stderr: '', code: 0 })
  assert.equal((await command(['umount', folder])).code, 0)
})
