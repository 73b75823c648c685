import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median, pair } from './pair.js'
import { putTable, table } from './table.js'

for (const [values, middle] of [
  [[3], 3],
  [[5, 1, 3], 3],
  [[4, 1, 3, 2], 2.5],
] as const)
  test(`the median of ${values} is ${middle}`, () => assert.equal(median(values), middle))

test('both sides run in turn, change who is first, and the first run of each does not count', async () => {
  const order: string[] = []
  const work = (name: string) => ({ before: async () => order.push(`(${name}`), run: async () => order.push(name) })
  const { ours_ms, peer_ms, ratio } = await pair(work('a'), work('b'), 2)
  assert.equal(order.join(' '), '(a a (b b (b b (a a (a a (b b')
  assert.ok(ours_ms >= 0 && peer_ms >= 0 && ratio > 0)
})

test('a run that measures itself is believed', async () => {
  assert.deepEqual(
    await pair(
      async () => 3,
      async () => 6,
      2,
    ),
    { ours_ms: 3, peer_ms: 6, ratio: 0.5 },
  )
})

test('the table, and its place in a document', () => {
  const text = table([
    { work: 'commit', ours_ms: 1234.5, peer: 'buildah', peer_ms: 20.04, ratio: 61.6, aim: '2' },
    { work: 'x', ours_ms: 3 },
    { work: 'memory', ours: '80 MB' },
  ])
  const rows = [
    '| work | builder | peer | its time | ratio | aim |',
    '| --- | --- | --- | --- | --- | --- |',
    '| commit | 1.23 s | buildah | 20 ms | 61.60 | 2 |',
    '| x | 3 ms |  |  |  |  |',
    '| memory | 80 MB |  |  |  |  |',
  ]
  assert.equal(text, rows.join('\n'))
  assert.equal(
    putTable('a\n<!-- bench -->\nold\n<!-- /bench -->\nb', 'new'),
    'a\n<!-- bench -->\nnew\n<!-- /bench -->\nb',
  )
  assert.throws(() => putTable('a', 'new'), /no lines/)
})
