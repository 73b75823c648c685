import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { type Digest, digestOf, hexOf } from '../../sdk/image/digest.js'
import { isIndex, type Manifest, parseManifest } from '../../sdk/image/manifest.js'
import { decompress } from '../../sdk/layer/compress.js'
import { findCompressed } from '../../sdk/store/compressed.js'
import type { Compression } from '../../sdk/transport/compression.js'
import { copyImage, type ImageSource, openSink, openSource } from '../../sdk/transport/transport.js'
import { layoutFaults } from '../oci-rules.js'
import {
  type Bench,
  copy,
  failsWith,
  namesIn,
  newBench,
  put,
  resealed,
  type Sample,
  sampleImage,
  sampleIndex,
  sampleSource,
  write,
} from './sample.js'

// Golden: what a push of this image gives on every machine.
const golden = {
  gzip: 'sha256:6b862a17e11e8435a516879415243741bac9585b71092881638896594931c5a1',
  zstd: 'sha256:8aec6532ce8959f9599347d266b110cb15955957e49b0622b5148122cdee65fa',
}

const types = { gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd, none: mediaTypes.layer }

describe('layers compressed on their way', () => {
  for (const format of ['gzip', 'zstd'] as const) {
    it(`${format}: the manifest's digest is the same on every machine`, async () => {
      await using bench = await newBench()
      const top = await put(bench, sampleImage({ compression: 'none' }), `oci:${bench.at('out')}`, {
        compression: { format },
      })
      assert.equal(top.digest, golden[format])
    })

    for (const transport of ['oci', 'dir', 'oci-archive', 'store'])
      it(`${format} to ${transport}: descriptors say what the blobs are, and their content is the layer's`, async () => {
        await using bench = await newBench()
        const image = sampleImage({ compression: 'none', files: ['a', 'b', 'c'] })
        const place = transport === 'store' ? 'web' : `${transport}:${bench.at('out')}`
        await put(bench, image, place, { compression: { format, level: 5 } })
        await using source = await openSource(bench.store, place)
        await assertHolds(source, image, types[format])
        if (transport === 'oci') assert.deepEqual(layoutFaults(bench.at('out')), [])
        if (transport === 'dir') assert.deepEqual(namesIn(bench.at('out')).length, 6)
      })
  }

  it('keeps layers that came compressed, unless it is forced', async () => {
    await using bench = await newBench()
    const image = sampleImage({ compression: 'gzip' })
    const kept = await put(bench, image, `oci:${bench.at('kept')}`, { compression: { format: 'zstd' } })
    assert.equal(kept.digest, image.top.digest)
    for (const format of ['zstd', 'gzip', 'none'] as const) {
      const to = `oci:${bench.at(format)}`
      const changed = await put(bench, image, to, { compression: { format, force: true } })
      assert.notEqual(changed.digest, image.top.digest)
      await using source = await openSource(bench.store, to)
      await assertHolds(source, image, types[format])
    }
  })

  it('none leaves uncompressed layers as they are', async () => {
    await using bench = await newBench()
    const image = sampleImage({ compression: 'none' })
    const to = `oci:${bench.at('out')}`
    for (const force of [false, true])
      assert.equal((await put(bench, image, to, { compression: { format: 'none', force } })).digest, image.top.digest)
  })

  it('an index names the new manifests, with their platforms', async () => {
    await using bench = await newBench()
    const amd = { ...sampleImage({ compression: 'none' }), platform: { os: 'linux', architecture: 'amd64' } }
    const arm = {
      ...sampleImage({ compression: 'none', files: ['three'], platform: { os: 'linux', architecture: 'arm64' } }),
      platform: { os: 'linux', architecture: 'arm64' },
    }
    const to = `oci:${bench.at('out')}`
    const top = await put(bench, sampleIndex([amd, arm]), to, { all: true, compression: { format: 'gzip' } })
    assert.deepEqual(layoutFaults(bench.at('out')), [])
    const index = parseManifest(blobIn(bench, 'out', top.digest), 'index')
    assert.ok(isIndex(index))
    assert.deepEqual(
      index.manifests.map(({ platform }) => platform?.architecture),
      ['amd64', 'arm64'],
    )
    for (const [i, image] of [amd, arm].entries()) {
      await using source = await openSource(bench.store, `${to}`)
      const descriptor = index.manifests[i] as Sample['top']
      const manifest = parseManifest(await source.manifest(descriptor), 'manifest') as Manifest
      assert.notEqual(descriptor.digest, image.top.digest)
      assert.ok(manifest.layers.every(({ mediaType }) => mediaType === mediaTypes.layerGzip))
    }
  })

  it("has Docker's media type in a Docker manifest, where zstd has none", async () => {
    await using bench = await newBench()
    const image = sampleImage({ compression: 'none', docker: true })
    const to = `dir:${bench.at('out')}`
    await put(bench, image, to, { compression: { format: 'gzip' } })
    await using source = await openSource(bench.store, to)
    await assertHolds(source, image, mediaTypes.dockerLayerGzip)
    const zstd = put(bench, image, `dir:${bench.at('no')}`, { compression: { format: 'zstd' } })
    await assert.rejects(zstd, failsWith('UNSUPPORTED', "Docker's manifests have no zstd layers; use --format oci"))
    assert.equal(existsSync(bench.at('no')), false)
  })

  it('forgets what says where in the old bytes a file is', async () => {
    await using bench = await newBench()
    const image = sampleImage({ compression: 'gzip' })
    const toc = { 'containerd.io/snapshot/stargz/toc.digest': 'sha256:1', 'org.example.kept': 'yes' }
    const annotated = resealed(
      image,
      image.config,
      image.layers.map((layer) => ({ ...layer, annotations: toc })),
    )
    const to = `oci:${bench.at('out')}`
    await put(bench, annotated, to, { compression: { format: 'zstd', force: true } })
    await using source = await openSource(bench.store, to)
    for (const { annotations } of (await manifestOf(source)).layers)
      assert.deepEqual(annotations, { 'org.example.kept': 'yes' })
  })

  it('is not done where digests must not change', async () => {
    await using bench = await newBench()
    const image = sampleImage({ compression: 'none' })
    const options = { preserveDigests: true, compression: { format: 'gzip' as const } }
    const refused = put(bench, image, `oci:${bench.at('out')}`, options)
    await assert.rejects(
      refused,
      failsWith('UNSUPPORTED', 'digests cannot be kept: its layers would be written as gzip'),
    )
    const archive = put(bench, image, `docker-archive:${bench.at('a.tar')}`, { preserveDigests: true })
    await assert.rejects(archive, failsWith('UNSUPPORTED', 'digests cannot be kept'))
    const same = await put(bench, image, `oci:${bench.at('out')}`, { preserveDigests: true })
    assert.equal(same.digest, image.top.digest)
    assert.deepEqual(readdirSync(bench.folder).sort(), ['out', 'run', 'store'])
  })

  it('a docker-archive holds no compressed layers', async () => {
    await using bench = await newBench()
    const image = sampleImage({ compression: 'none' })
    const refused = put(bench, image, `docker-archive:${bench.at('a.tar')}`, { compression: { format: 'gzip' } })
    await assert.rejects(refused, failsWith('UNSUPPORTED', 'it holds layers uncompressed, not as gzip'))
  })

  for (const transport of ['oci', 'dir', 'oci-archive', 'store'])
    it(`to ${transport}: a layer that is not what the manifest says is refused, and nothing is left`, async () => {
      await using bench = await newBench()
      const image = sampleImage({ compression: 'none' })
      const { digest } = image.layers[1] as Sample['top']
      const altered = Buffer.from(image.blobs.get(digest) as Uint8Array)
      altered[600] = 0x58
      image.blobs.set(digest, altered)
      const place = transport === 'store' ? 'web' : `${transport}:${bench.at('out')}`
      await assert.rejects(put(bench, image, place, { compression: { format: 'gzip' } }), failsWith('DIGEST', digest))
      assert.deepEqual(namesIn(bench.folder), [])
    })

  it('tells of bytes of the source, a layer once', async () => {
    await using bench = await newBench()
    const image = sampleImage({ compression: 'none' })
    const seen: string[] = []
    await put(bench, image, `oci:${bench.at('out')}`, {
      compression: { format: 'gzip' },
      onProgress: ({ digest, kind, state, bytes }) =>
        kind === 'layer' && seen.push(`${image.layers.findIndex((it) => it.digest === digest)} ${state} ${bytes > 0}`),
    })
    assert.deepEqual([...new Set(seen)].sort(), [
      '0 copying false',
      '0 copying true',
      '0 done true',
      '1 copying false',
      '1 copying true',
      '1 done true',
    ])
  })

  it('stops when it is told to, and leaves nothing', async () => {
    await using bench = await newBench()
    const stop = new AbortController()
    const source = sampleSource(sampleImage({ compression: 'none' }), async () => {
      stop.abort()
      await new Promise(() => {})
    })
    {
      await using sink = await openSink(bench.store, `oci:${bench.at('out')}`)
      const copying = copyImage(source, sink, { compression: { format: 'gzip' }, signal: stop.signal })
      await assert.rejects(copying, failsWith('ABORTED'))
    }
    assert.deepEqual(namesIn(bench.folder), [])
  })
})

describe('what a layer became is remembered', () => {
  it('so that it is compressed for the next sink only when that does not have it', async () => {
    await using bench = await newBench()
    const image = sampleImage({ compression: 'none' })
    await put(bench, image, 'web')
    const compression: Compression = { format: 'gzip' }
    const first = await copy(bench, 'web', `oci:${bench.at('out')}:1`, { compression })
    const { layers } = parseManifest(blobIn(bench, 'out', first.digest), 'manifest') as Manifest
    for (const [i, { digest, size }] of layers.entries())
      assert.deepEqual(findCompressed(bench.store, image.diffIDs[i] as Digest, 'gzip-3-v1'), { digest, size })
    const states: string[] = []
    const second = await copy(bench, 'web', `oci:${bench.at('out')}:2`, {
      compression,
      onProgress: ({ state }) => states.push(state),
    })
    assert.equal(second.digest, first.digest)
    assert.deepEqual([...new Set(states)].sort(), ['exists', 'waiting'])
    const third = await copy(bench, 'web', `oci:${bench.at('new')}`, { compression })
    assert.equal(third.digest, first.digest)
    assert.deepEqual(layoutFaults(bench.at('new')), [])
  })

  it('and a damaged memory is no harm', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage({ compression: 'none' }), 'web')
    const tops = new Set<string>()
    for (const text of ['', 'null', '{"a":1}', '[["x",null],["y",{"digest":1}],7]']) {
      write(join(bench.store.root, 'cache/compressed.json'), text)
      tops.add((await copy(bench, 'web', `oci:${bench.at('out')}`, { compression: { format: 'gzip' } })).digest)
    }
    assert.equal(tops.size, 1)
  })
})

async function manifestOf(source: ImageSource): Promise<Manifest> {
  return parseManifest((await source.top()).bytes, 'manifest') as Manifest
}

/** Every layer has this media type and, decompressed, the diffID of the sample's. */
async function assertHolds(source: ImageSource, image: Sample, mediaType: string): Promise<void> {
  const { config, layers } = await manifestOf(source)
  assert.equal(config.digest, image.config.digest)
  const diffIDs: Digest[] = []
  for (const layer of layers) {
    assert.equal(layer.mediaType, mediaType)
    const bytes = await all(await source.blob(layer))
    assert.deepEqual([digestOf(bytes), bytes.length], [layer.digest, layer.size])
    diffIDs.push(digestOf(await all(decompress(await source.blob(layer)))))
  }
  assert.deepEqual(diffIDs, image.diffIDs)
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function blobIn(bench: Bench, layout: string, digest: Digest): Buffer {
  return readFileSync(join(bench.at(layout), 'blobs/sha256', hexOf(digest)))
}
