import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkStore } from '../../sdk/store/check.js'
import { findContainer, listContainers } from '../../sdk/store/containers.js'
import { findImage, listImages } from '../../sdk/store/images.js'
import { emptyStore, startChild } from './fixture.js'

test('eight processes use one store at once: it stays whole, and nothing is lost', async (t) => {
  const store = await emptyStore(t)
  const children = Array.from({ length: 8 }, (_, i) => startChild('crowd-child', store.root, `worker${i}`, '8'))
  const said = await Promise.all(
    children.map(async ({ lines, ended }) => {
      const all: string[] = []
      for await (const line of lines) all.push(line)
      const { end, stderr } = await ended
      assert.deepEqual([end, stderr.replace(/^builder: waiting for the lock .*\n/gm, '')], [0, ''])
      return all
    }),
  )
  const expected = said.flat().map((line) => line.split(' '))
  for (const [kind, name = ''] of expected)
    if (kind === 'image') await findImage(store, name, 'test')
    else await findContainer(store, name, 'test')
  const { length } = expected.filter(([kind]) => kind === 'container')
  assert.equal((await listContainers(store)).length, length)
  assert.equal(
    (await listImages(store)).flatMap(({ names }) => names).filter((name) => /latest-of/.test(name)).length <= 1,
    true,
  )
  assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

test('of many processes killed in the middle of everything, the store stays whole', async (t) => {
  const store = await emptyStore(t)
  for (let round = 0; round < 4; round++) {
    const children = Array.from({ length: 4 }, (_, i) => startChild('crowd-child', store.root, `w${round}${i}`, '1000'))
    await Promise.all(children.map(({ lines }) => lines.next()))
    for (const { process, ended } of children) {
      process.kill('SIGKILL')
      await ended
    }
    for (const { id } of await listContainers(store)) await findContainer(store, id, 'test')
    assert.deepEqual((await checkStore(store, { deep: true })).problems, [])
    for (const { id } of await listImages(store)) await findImage(store, id, 'test')
  }
})
