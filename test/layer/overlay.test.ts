// What the kernel's overlayfs makes of an unpacked layer, and what a layer is made of its upper directory.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { packLayer } from '../../sdk/layer/pack.js'
import { isInUserNamespace } from '../../sdk/namespace/inside.js'
import { mount } from '../../sdk/namespace/libc.js'
import { tempDir } from '../lane.js'
import { tarOf } from './tar-bytes.js'
import { tarBytes, unpack } from './tree.js'

/** Mounts layers, top first, on a new folder; with `upper` it can be written to. */
function overlay(t: TestContext, lowers: readonly string[], upper?: string): string {
  const folder = tempDir(t)
  for (const name of ['merged', 'work']) mkdirSync(join(folder, name))
  const options = [`lowerdir=${lowers.join(':')}`]
  if (upper !== undefined) options.push(`upperdir=${upper}`, `workdir=${folder}/work`)
  options.push(isInUserNamespace() ? 'userxattr' : 'redirect_dir=off,metacopy=off,index=off')
  mount('overlay', `${folder}/merged`, 'overlay', 0, options.join(','))
  return `${folder}/merged`
}

function lower(t: TestContext): string {
  const root = tempDir(t)
  for (const name of ['a/1', 'a/2', 'b/1', 'b/2', 'c/1', 'd/1']) {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), 'below')
  }
  return root
}

function files(root: string): string[] {
  const all = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return all.map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1)).sort()
}

test('overlayfs hides what an unpacked layer removes', async (t) => {
  const tar = tarOf(
    { name: 'a/.wh.1', body: '' },
    { name: 'b/.wh..wh..opq', body: '' },
    { name: 'b/new', body: '' },
    { name: '.wh.c', body: '' },
    { name: '.wh.d', body: '' },
    { name: 'd/new', body: '' },
  )
  const { directory } = await unpack(t, tar)
  const empty = tempDir(t)
  assert.deepEqual(files(overlay(t, [directory, lower(t), empty])), ['a/2', 'b/new', 'd/new'])
})

test('an upper directory of overlayfs, packed and unpacked, gives the same view', async (t) => {
  const [base, upper] = [lower(t), join(tempDir(t), 'upper')]
  mkdirSync(upper)
  const merged = overlay(t, [base], upper)
  rmSync(`${merged}/a/1`)
  rmSync(`${merged}/b`, { recursive: true })
  mkdirSync(`${merged}/b`)
  writeFileSync(`${merged}/b/new`, 'new')
  rmSync(`${merged}/c`, { recursive: true })
  writeFileSync(`${merged}/d/1`, 'changed')
  renameSync(`${merged}/d/1`, `${merged}/d/2`)
  const { directory, applied } = await unpack(t, await tarBytes(upper))
  const again = overlay(t, [directory, base])
  assert.deepEqual(files(again), ['a/2', 'b/new', 'd/2'])
  assert.deepEqual(files(again), files(merged))
  assert.equal(readFileSync(`${again}/d/2`, 'utf8'), 'changed')
  assert.equal((await packLayer(directory)).diffID, applied.diffID)
})
