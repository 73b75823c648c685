import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command, needs, tempDir, top } from '../lane.js'

test('npm start opens every door, and each gives the same image', async (t) => {
  if (!needs(t, 'newuidmap')) return
  const store = tempDir(t)
  // A copy, for it builds, and other tests use what is built here.
  const copy = join(store, 'builder')
  const script =
    'mkdir "$1" && find "$0" -mindepth 1 -maxdepth 1 ! -name node_modules ! -name .git ! -name dist -exec cp -a -t "$1" {} +'
  assert.equal((await command(['sh', '-c', script, top, copy])).code, 0)
  symlinkSync(join(top, 'node_modules'), join(copy, 'node_modules'))
  const env = { BUILDER_ROOT: join(store, 'root'), BUILDER_RUNROOT: join(store, 'run') }
  const { code, stdout, stderr } = await command([process.execPath, join(copy, 'bin/start.mjs')], { env, cwd: copy })
  assert.equal(code, 0, stderr)
  const images = [...stdout.matchAll(/^ {2}image {3}([0-9a-f]{64})$/gm)].map(([, id]) => id)
  assert.deepEqual(images, Array(3).fill(images[0]))
  assert.equal(stdout.match(/^ {2}says {4}hello from a container$/gm)?.length, 3)
})
