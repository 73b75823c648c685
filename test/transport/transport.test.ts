import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openSink, openSource, transportOf } from '../../sdk/transport/transport.js'
import { failsWith, newBench } from './sample.js'

describe('transportOf', () => {
  for (const [text, transport, rest] of [
    ['oci:a', 'oci', 'a'],
    ['oci:/a/b:c:d', 'oci', '/a/b:c:d'],
    ['oci-archive:a.tar', 'oci-archive', 'a.tar'],
    ['docker-archive:a.tar:b:c', 'docker-archive', 'a.tar:b:c'],
    ['dir:a:b', 'dir', 'a:b'],
  ])
    it(`${text} is ${transport}`, () => assert.deepEqual(transportOf(text as string), { transport, rest }))

  for (const text of [
    'web',
    'web:latest',
    'docker:latest',
    'registry.example:5000/a/web',
    'a/oci:latest',
    'docker.io/b',
  ])
    it(`${text} is a name`, () => assert.equal(transportOf(text), undefined))

  for (const text of [
    'docker://web',
    'docker://docker.io/library/web:1',
    'docker-daemon:web:1',
    'containers-storage:web',
    'sif:x',
  ])
    it(`${text} is not supported, and what is, is said`, () => {
      const transport = text.slice(0, text.indexOf(':'))
      const message = `builder has no transport ${transport}:`
      assert.throws(() => transportOf(text), failsWith('UNSUPPORTED', message))
      assert.throws(
        () => transportOf(text),
        failsWith('UNSUPPORTED', 'use one of oci:, oci-archive:, docker-archive:, dir:'),
      )
    })
})

describe('a place without a path', () => {
  for (const text of ['oci:', 'oci::ref', 'oci-archive:', 'docker-archive:', 'docker-archive::web', 'dir:'])
    it(`${text} is a wrong use`, async () => {
      await using bench = await newBench()
      await assert.rejects(openSource(bench.store, text), failsWith('USAGE', 'no path'))
      await assert.rejects(openSink(bench.store, text), failsWith('USAGE', 'no path'))
    })
})

describe('a place with an empty ref', () => {
  it('is one without', async () => {
    await using bench = await newBench()
    await using sink = await openSink(bench.store, `oci:${bench.at('image')}:`)
    assert.equal(sink.name, `oci:${bench.at('image')}:`)
  })
})
