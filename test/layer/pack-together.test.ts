import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { layerStream, packLayer } from '../../sdk/layer/pack.js'
import { tempDir } from '../lane.js'

/** Times with fractions need pax headers, so that headers lie across the pieces of the tar. */
function tree(folder: string, name: string): string {
  const path = join(folder, name)
  mkdirSync(path)
  for (let i = 0; i < 2000; i++) {
    const file = join(path, `${name}-${i}`)
    writeFileSync(file, name.repeat((i % 7) * 100))
    utimesSync(file, 1, 1.5 + i / 1000)
  }
  return path
}

test('layers that are packed side by side are those that are packed one after the other', async (t) => {
  const folder = tempDir(t)
  const trees = ['a', 'b', 'c', 'd'].map((name) => tree(folder, name))
  const alone: string[] = []
  for (const one of trees) alone.push((await packLayer(one)).diffID)
  const together = await Promise.all(trees.map(async (one) => (await packLayer(one)).diffID))
  assert.deepEqual(together, alone)
  const read = await Promise.all(
    trees.map(async (one) => {
      const hash = createHash('sha256')
      for await (const chunk of layerStream(one)) {
        hash.update(chunk)
        await new Promise((resolve) => setImmediate(resolve))
      }
      return `sha256:${hash.digest('hex')}`
    }),
  )
  assert.deepEqual(read, alone)
})
