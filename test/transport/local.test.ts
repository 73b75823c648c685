import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { type Digest, hexOf } from '../../sdk/image/digest.js'
import { packLayer } from '../../sdk/layer/pack.js'
import { blobPath, hasBlob, putBlob } from '../../sdk/store/blobs.js'
import { findImage } from '../../sdk/store/find-image.js'
import { addImage, listImages } from '../../sdk/store/images.js'
import { beginLayer, hasLayer, layerDiff, removeLayer } from '../../sdk/store/layers.js'
import { tryLock } from '../../sdk/store/locks.js'
import { copyImage, openSink, openSource } from '../../sdk/transport/transport.js'
import { layoutFaults } from '../oci-rules.js'
import {
  add,
  copy,
  failsWith,
  newBench,
  put,
  resealed,
  type Sample,
  sampleImage,
  sampleSource,
  storeContent,
  write,
  zstd,
} from './sample.js'

describe('the store as a sink', () => {
  for (const compression of ['none', 'gzip', 'zstd'] as const)
    it(`keeps blobs as they came and unpacks layers: ${compression}`, async () => {
      await using bench = await newBench()
      const image = sampleImage({ compression, files: ['a', 'b', 'c', 'd', 'e'] })
      await put(bench, image, 'web')
      for (const { digest, size } of image.layers) assert.ok(hasBlob(bench.store, digest, size))
      const files = image.diffIDs.map((diffID, i) =>
        readFileSync(join(layerDiff(bench.store, diffID), `file${i}`), 'utf8'),
      )
      assert.deepEqual(
        files,
        ['a\n', 'b\n', 'c\n', 'd\n', 'e\n'].map((line) => line.repeat(20)),
      )
      assert.deepEqual((await findImage(bench.store, 'web', 'test')).names, ['localhost/web:latest'])
      assert.deepEqual(layoutFaults(bench.store.root), [])
      assert.deepEqual(readdirSync(join(bench.store.root, 'tmp')), [])
    })

  it('keeps the format and the bytes of a Docker manifest', async () => {
    await using bench = await newBench()
    const image = sampleImage({ docker: true })
    await put(bench, image, 'web')
    const found = await findImage(bench.store, 'web', 'test')
    assert.equal(found.manifest.mediaType, mediaTypes.dockerManifest)
    assert.equal(found.manifestDigest, image.top.digest)
  })

  it('does not unpack a layer again that it has, but keeps the new blob of it', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage({ compression: 'gzip' }), 'one')
    const image = sampleImage({ compression: 'zstd' })
    const seen: string[] = []
    await put(bench, image, 'two', { all: true, onProgress: ({ state }) => seen.push(state) })
    for (const { digest, size } of image.layers) assert.ok(hasBlob(bench.store, digest, size))
    assert.equal(readdirSync(join(bench.store.root, 'layers')).length, 2)
    seen.length = 0
    await put(bench, image, 'three', { all: true, onProgress: ({ state }) => seen.push(state) })
    assert.deepEqual(seen, ['waiting', 'waiting', 'waiting', 'exists', 'exists', 'exists'])
  })

  it('unpacks a layer again that is gone while its blob is there', async () => {
    await using bench = await newBench()
    const image = sampleImage()
    await put(bench, image, 'web')
    await removeLayer(bench.store, image.diffIDs[0] as Digest)
    await put(bench, image, 'web')
    assert.ok(hasLayer(bench.store, image.diffIDs[0] as Digest))
  })

  it('takes two images with the same layers at once', async () => {
    await using bench = await newBench()
    const images = (['none', 'gzip', 'zstd', 'gzip'] as const).map((compression) => sampleImage({ compression }))
    await Promise.all(images.map((image, i) => put(bench, image, `web:${i}`)))
    assert.equal((await listImages(bench.store)).length, 3)
    assert.deepEqual(layoutFaults(bench.store.root), [])
  })

  it('moves a name to the image that came last', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage({ files: ['old'] }), 'web')
    const image = sampleImage({ files: ['new'] })
    await put(bench, image, 'web')
    assert.equal((await findImage(bench.store, 'web', 'test')).id, hexOf(image.config.digest))
    assert.equal((await listImages(bench.store)).length, 2)
  })

  it('holds the lock "store" while it copies, and lets go of it', async () => {
    await using bench = await newBench()
    let wasFree: boolean | undefined
    await using sink = await openSink(bench.store, 'web')
    const look = async () => {
      const lock = tryLock(bench.store, 'store')
      wasFree = lock !== undefined
      lock?.release()
    }
    await copyImage(sampleSource(sampleImage(), look), sink)
    assert.equal(wasFree, false)
    await sink[Symbol.asyncDispose]()
    await look()
    assert.equal(wasFree, true)
  })

  const image = sampleImage()
  const [first, second] = image.layers as [Sample['config'], Sample['config']]
  const swapped = resealed(image, image.config, [second, first])
  const change = (it: object) => resealed(image, image.config, [{ ...first, ...it }, second])
  for (const [title, bad, code, text] of [
    ['layers in another order than the configuration', swapped, 'DIGEST', 'configuration says'],
    ['a foreign layer', change({ urls: ['https://layers.example/x'] }), 'UNSUPPORTED', 'layers.example'],
    [
      'a layer that may not be distributed',
      change({ mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip' }),
      'UNSUPPORTED',
      'foreign',
    ],
    ['a layer of an unknown type', change({ mediaType: 'application/x-thing' }), 'UNSUPPORTED', 'application/x-thing'],
    [
      'an artifact',
      resealed(image, add(image.blobs, 'application/vnd.oci.empty.v1+json', '{}'), [first]),
      'UNSUPPORTED',
      'it is an artifact',
    ],
    ['one layer with two diffIDs', resealed(image, image.config, [first, first]), 'INVALID', 'two diffIDs'],
    [
      'a layer that is not a tar archive',
      withLayer(zstd(Buffer.alloc(5000, 'x')), mediaTypes.layerZstd),
      ['INVALID', 'DIGEST'],
      '',
    ],
    ['a layer whose compression is cut off', cutOff(), ['INVALID', 'DIGEST'], ''],
  ] as const)
    it(`refuses ${title}, and leaves nothing`, async () => {
      await using bench = await newBench()
      await put(bench, sampleImage({ files: ['before'] }), 'before')
      const before = storeContent(bench)
      await assert.rejects(put(bench, bad, 'web'), failsWith(code, text))
      assert.deepEqual(storeContent(bench), before)
    })

  it('that fails leaves what another image needs', async () => {
    await using bench = await newBench()
    const shared = sampleImage({ files: ['one', 'two'] })
    await put(bench, shared, 'shared')
    const more = sampleImage({ files: ['one', 'two', 'three'] })
    const lost = more.layers[2]?.digest as Digest
    more.blobs.delete(lost)
    const before = storeContent(bench)
    await assert.rejects(put(bench, more, 'web'), failsWith('NOT_FOUND'))
    assert.deepEqual(storeContent(bench), before)
    await copy(bench, 'shared', `oci:${bench.at('out')}`)
    assert.deepEqual(layoutFaults(bench.at('out')), [])
  })
})

describe('the store as a source', () => {
  it('packs a layer that was committed here while it is read, the same bytes, and keeps no copy', async () => {
    await using bench = await newBench()
    const { top, diffID } = await commit(bench.store, 'web')
    assert.equal(hasBlob(bench.store, diffID), false)
    const copied = await copy(bench, 'web', `oci:${bench.at('out')}:web`)
    assert.equal(copied.digest, top)
    assert.deepEqual(layoutFaults(bench.at('out')), [])
    assert.equal(hasBlob(bench.store, diffID), false)
  })

  it('says so when the files of a layer were altered', async () => {
    await using bench = await newBench()
    const { diffID } = await commit(bench.store, 'web')
    write(join(layerDiff(bench.store, diffID), 'etc/motd'), 'other\n')
    await assert.rejects(copy(bench, 'web', `oci:${bench.at('out')}`), failsWith('DIGEST', 'were altered after'))
    assert.deepEqual(readdirSync(bench.folder).sort(), ['run', 'store'])
  })

  for (const name of ['web', 'localhost/web:latest', 'ID', 'SHORT'])
    it(`finds an image by ${name}`, async () => {
      await using bench = await newBench()
      const image = sampleImage()
      await put(bench, image, 'web')
      const id = hexOf(image.config.digest)
      await using source = await openSource(bench.store, name === 'ID' ? id : name === 'SHORT' ? id.slice(0, 12) : name)
      assert.equal((await source.top()).digest, image.top.digest)
      assert.equal(source.suggestedName, 'localhost/web:latest')
    })

  it('copies within itself, to another name', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage(), 'web')
    await copy(bench, 'web', 'other')
    assert.deepEqual((await findImage(bench.store, 'other', 'test')).names.toSorted(), [
      'localhost/other:latest',
      'localhost/web:latest',
    ])
  })

  it('says what to do when a blob is lost', async () => {
    await using bench = await newBench()
    const image = sampleImage()
    await put(bench, image, 'web')
    rmSync(blobPath(bench.store, image.layers[0]?.digest as Digest))
    await assert.rejects(copy(bench, 'web', `dir:${bench.at('out')}`), failsWith('NOT_FOUND', 'pull the image again'))
  })

  it('lets go of its lock when there is no such image', async () => {
    await using bench = await newBench()
    await assert.rejects(openSource(bench.store, 'nope'), failsWith('NOT_FOUND'))
    assert.ok(tryLock(bench.store, 'store'))
  })
})

/** An image whose layer exists only unpacked, as a commit leaves it. */
async function commit(store: Parameters<typeof addImage>[0], name: string) {
  const layer = await beginLayer(store)
  write(join(layer.diff, 'etc/motd'), 'hello\n')
  const { diffID, size, entries } = await packLayer(layer.diff, { root: 'none' })
  await layer.finish({ diffID, size, entries, created: '2024-01-01T00:00:00Z' })
  const platform = { os: 'linux', architecture: 'amd64' }
  const config = Buffer.from(JSON.stringify({ ...platform, rootfs: { type: 'layers', diff_ids: [diffID] } }))
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: await putBlob(store, config), size: config.length },
    layers: [{ mediaType: mediaTypes.layer, digest: diffID, size }],
  }
  const image = await addImage(store, Buffer.from(JSON.stringify(manifest)), [name])
  return { top: image.manifestDigest, diffID }
}

function withLayer(bytes: Uint8Array, mediaType: string): Sample {
  const image = sampleImage({ files: ['one'] })
  return resealed(image, image.config, [add(image.blobs, mediaType, bytes)])
}

function cutOff(): Sample {
  const image = sampleImage({ files: ['one'] })
  const whole = image.blobs.get(image.layers[0]?.digest as Digest) as Uint8Array
  return withLayer(whole.subarray(0, whole.length - 20), mediaTypes.layerGzip)
}
