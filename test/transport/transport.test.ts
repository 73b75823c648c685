import assert from 'node:assert/strict'
import { truncateSync } from 'node:fs'
import { describe, it } from 'node:test'
import { blobPath } from '../../sdk/store/blobs.js'
import { type CopyProgress, openSink, openSource, transportOf } from '../../sdk/transport/transport.js'
import { layoutFaults } from '../oci-rules.js'
import { add, copy, failsWith, newBench, put, sampleImage, sampleIndex } from './sample.js'

describe('transportOf', () => {
  for (const [text, transport, rest] of [
    ['oci:a', 'oci', 'a'],
    ['oci:/a/b:c:d', 'oci', '/a/b:c:d'],
    ['oci-archive:a.tar', 'oci-archive', 'a.tar'],
    ['docker-archive:a.tar:b:c', 'docker-archive', 'a.tar:b:c'],
    ['dir:a:b', 'dir', 'a:b'],
    ['docker://web', 'docker', '//web'],
    ['docker://docker.io/library/web:1', 'docker', '//docker.io/library/web:1'],
    ['containers-storage:[vfs@/a+/b]web', 'containers-storage', '[vfs@/a+/b]web'],
    ['docker-daemon:web:1', 'docker-daemon', 'web:1'],
    ['ostree:web@/repo', 'ostree', 'web@/repo'],
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

  for (const text of ['tarball:x', 'sif:x'])
    it(`${text} is not supported, and what is, is said`, () => {
      const transport = text.slice(0, text.indexOf(':'))
      const message = `builder has no transport ${transport}:`
      assert.throws(() => transportOf(text), failsWith('UNSUPPORTED', message))
      assert.throws(
        () => transportOf(text),
        failsWith('UNSUPPORTED', 'use one of docker://, oci:, oci-archive:, docker-archive:, dir:'),
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

describe('copyImage', () => {
  it('brings with an index what is neither a manifest nor an index', async () => {
    await using bench = await newBench()
    const image = sampleImage()
    const other = add(image.blobs, 'application/vnd.example.thing', 'a thing')
    const index = sampleIndex([image, { ...image, top: other }])
    await put(bench, index, `oci-archive:${bench.at('archive')}`)
    await copy(bench, `oci-archive:${bench.at('archive')}`, `oci:${bench.at('out')}`, { all: true })
    assert.deepEqual(layoutFaults(bench.at('out')), [])
  })

  it('does nothing when it was stopped before', async () => {
    await using bench = await newBench()
    const signal = AbortSignal.abort()
    await assert.rejects(put(bench, sampleImage(), 'web', { signal }), failsWith('ABORTED'))
  })

  it('puts a configuration again that was damaged in the store', async () => {
    await using bench = await newBench()
    const image = sampleImage()
    await put(bench, image, 'web')
    const { digest, size } = image.config
    truncateSync(blobPath(bench.store, digest), 0)
    truncateSync(blobPath(bench.store, digest), size)
    await put(bench, image, 'web')
    assert.deepEqual(layoutFaults(bench.store.root), [])
  })

  it('stops all blobs when one fails, and throws what failed first', async () => {
    await using bench = await newBench()
    const image = sampleImage({ files: Array.from({ length: 30 }, (_, i) => `file ${i}`) })
    image.blobs.delete(image.layers[3]?.digest as `sha256:${string}`)
    const started: string[] = []
    const onProgress = ({ digest, state, bytes }: CopyProgress) =>
      state === 'copying' && bytes === 0 && started.push(digest)
    await assert.rejects(put(bench, image, `dir:${bench.at('out')}`, { onProgress }), failsWith('NOT_FOUND', 'no blob'))
    assert.ok(started.length < 20, `${started.length} of 31 were started`)
  })
})
