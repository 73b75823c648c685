import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type ProgressEvent, pull } from '../../sdk/index.js'
import { tempDir } from '../lane.js'
import { endlessImage } from '../verbs/endless-image.js'
import { container, places, placesIn } from './rooted.js'

const folder = tempDir({ after })
const content = join(folder, 'content')
writeFileSync(content, randomBytes(3_000_000))

test('a script hears how far a verb is, wherever the verb runs, before it has its result', async (_t) => {
  await using c = await container()
  await c.copy(content, '/content')
  const layout = `oci:${join(folder, 'layout')}`
  await c.commit(layout)
  const events: ProgressEvent[] = []
  await pull(layout, { ...placesIn(join(folder, 'other')), onProgress: (event) => events.push(event) })
  const layer = events.filter(({ kind }) => kind === 'layer')
  assert.deepEqual(
    layer.filter(({ state, bytes }) => state !== 'copying' || bytes === 0).map(({ state }) => state),
    ['waiting', 'copying', 'finishing', 'done'],
  )
  const last = layer.at(-1)
  assert.ok(last?.operation === 'pull' && last.bytes === last.total && last.bytes > 1e6)
  assert.match(last.name, /^sha256:[0-9a-f]{64}$/)
})

test('a commit tells what it has packed, and what it copies elsewhere', async (_t) => {
  await using c = await container('scratch', { name: 'packed' })
  await c.copy(content, '/content')
  const events: ProgressEvent[] = []
  await c.commit(`dir:${join(folder, 'dir')}`, { onProgress: (event) => events.push(event) })
  const packing = events.filter(({ operation }) => operation === 'commit')
  assert.deepEqual(new Set(packing.map(({ name }) => name)), new Set(['packed']))
  assert.equal(packing[0]?.state, 'packing')
  const last = packing.at(-1)
  assert.ok(last?.state === 'done' && last.bytes > 1e6 && last.total === undefined)
  assert.ok(events.some(({ operation, kind, state }) => operation === 'push' && kind === 'layer' && state === 'done'))
})

test('a listener that throws stops the verb, and the call throws the same', async (_t) => {
  const layout = join(folder, 'endless')
  endlessImage(layout)
  const error = new RangeError('heard enough')
  const onProgress = ({ bytes }: ProgressEvent) => {
    if (bytes > 1e6) throw error
  }
  await assert.rejects(pull(`oci:${layout}`, { ...places, onProgress }), (thrown) => thrown === error)
  assert.deepEqual(readdirSync(join(places.root, 'tmp')), [])
})

test('a signal stops a verb that is listened to', async (_t) => {
  const layout = join(folder, 'endless')
  const stopper = new AbortController()
  const onProgress = ({ bytes }: ProgressEvent) => bytes > 1e6 && stopper.abort()
  await assert.rejects(pull(`oci:${layout}`, { ...places, onProgress, signal: stopper.signal }), { code: 'ABORTED' })
  assert.deepEqual(readdirSync(join(places.root, 'tmp')), [])
})
