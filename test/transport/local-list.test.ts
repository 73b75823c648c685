import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { canonicalJson } from '../../sdk/image/config.js'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import type { Digest } from '../../sdk/image/digest.js'
import { blobPath } from '../../sdk/store/blobs.js'
import { checkStore } from '../../sdk/store/check.js'
import { findImage, listImages, listLists } from '../../sdk/store/images.js'
import { readEntries } from '../../sdk/store/index-file.js'
import { layerDiff } from '../../sdk/store/layers.js'
import { findList } from '../../sdk/store/lists.js'
import { inFormat } from '../../sdk/transport/convert.js'
import { localSource } from '../../sdk/transport/local.js'
import { localListSink } from '../../sdk/transport/local-list-sink.js'
import { type CopyOptions, copyImage, openSink, openSource } from '../../sdk/transport/transport.js'
import { needs } from '../lane.js'
import { otherTools } from './other-tools.js'
import {
  add,
  type Bench,
  failsWith,
  newBench,
  put,
  resealed,
  type Sample,
  sampleImage,
  sampleIndex,
  sampleSource,
  storeContent,
} from './sample.js'

const amd64 = { os: 'linux', architecture: 'amd64' }
const arm64 = { os: 'linux', architecture: 'arm64' }

/** Two images that share their lowest layer. */
function twoPlatforms(options: Parameters<typeof sampleImage>[0] = {}): readonly [Sample, Sample, Sample] {
  const one = sampleImage({ files: ['same', 'amd'], platform: amd64, ...options })
  const two = sampleImage({ files: ['same', 'arm'], platform: arm64, ...options })
  return [
    sampleIndex([
      { ...one, platform: amd64 },
      { ...two, platform: arm64 },
    ]),
    one,
    two,
  ]
}

/** Copies a sample into the store with all its images. */
async function take(bench: Bench, sample: Sample, names: readonly string[], options: CopyOptions = {}) {
  await using sink = await localListSink(bench.store, names, 'sample')
  return await copyImage(sampleSource(sample), sink, { all: true, ...options })
}

async function giveOut(bench: Bench, name: string, to: string, format?: 'oci' | 'v2s2') {
  await using source = await localSource(bench.store, name, { all: true })
  await using sink = await openSink(bench.store, to)
  return await copyImage(format ? inFormat(source, format) : source, sink, { all: true })
}

/** The bytes of the top, as a source reads them. */
async function topOf(bench: Bench, text: string): Promise<Record<string, unknown>> {
  await using source = await openSource(bench.store, text)
  return JSON.parse(Buffer.from((await source.top()).bytes).toString()) as Record<string, unknown>
}

describe('a list with all its images', () => {
  it('comes into the store whole: one name, every image unpacked, a shared layer once', async () => {
    await using bench = await newBench()
    const [index, one, two] = twoPlatforms()
    const seen: string[] = []
    await take(bench, index, ['web'], { onProgress: ({ state, digest }) => state === 'done' && seen.push(digest) })
    assert.equal(seen.length, 5)
    assert.equal((await findList(bench.store, 'web', 'test')).digest, index.top.digest)
    assert.deepEqual(await listImages(bench.store), [])
    assert.equal(readEntries(bench.store).length, 1)
    for (const [platform, sample, text] of [
      [amd64, one, 'amd'],
      [arm64, two, 'arm'],
    ] as const) {
      const found = await findImage(bench.store, 'web', 'test', platform)
      assert.equal(found.manifestDigest, sample.top.digest)
      assert.match(
        readFileSync(join(layerDiff(bench.store, sample.diffIDs[1] as Digest), 'file1'), 'utf8'),
        new RegExp(text),
      )
    }
    assert.equal(readdirSync(join(bench.store.root, 'layers')).length, 3)
    assert.deepEqual((await checkStore(bench.store, { deep: true })).problems, [])
    assert.deepEqual(readdirSync(join(bench.store.root, 'tmp')), [])
  })

  it('comes again without a byte', async () => {
    await using bench = await newBench()
    const [index] = twoPlatforms()
    await take(bench, index, ['web'])
    const seen = new Set<string>()
    await take(bench, index, ['again'], { onProgress: ({ state }) => seen.add(state) })
    assert.deepEqual([...seen], ['waiting', 'exists'])
    assert.deepEqual((await findList(bench.store, 'again', 'test')).names, [
      'localhost/web:latest',
      'localhost/again:latest',
    ])
  })

  it('a single image comes as an image', async () => {
    await using bench = await newBench()
    await take(bench, sampleImage(), ['web'])
    assert.deepEqual((await findImage(bench.store, 'web', 'test')).names, ['localhost/web:latest'])
    assert.deepEqual(await listLists(bench.store), [])
  })

  it('an image that has a name keeps it', async () => {
    await using bench = await newBench()
    const [index, one] = twoPlatforms()
    await put(bench, one, 'one')
    await take(bench, index, ['web'])
    assert.deepEqual((await findImage(bench.store, 'one', 'test')).names, ['localhost/one:latest'])
    assert.equal(readEntries(bench.store).length, 2)
  })

  it('signatures and attestations come as they are', async () => {
    await using bench = await newBench()
    const [, one, two] = twoPlatforms()
    const blobs = new Map<Digest, Uint8Array>()
    const config = add(blobs, 'application/vnd.oci.empty.v1+json', '{}')
    const layer = add(blobs, 'application/vnd.in-toto+json', '{"statement":1}')
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] }
    const top = add(blobs, mediaTypes.manifest, canonicalJson(manifest))
    const attestation = { ...one, top, blobs, platform: { os: 'unknown', architecture: 'unknown' } }
    const index = sampleIndex([{ ...one, platform: amd64 }, { ...two, platform: arm64 }, attestation])
    await take(bench, index, ['web'])
    assert.deepEqual((await checkStore(bench.store, { deep: true })).problems, [])
    const { digest } = await giveOut(bench, 'web', `oci:${bench.at('out')}:web`)
    assert.equal(digest, index.top.digest)
  })
})

describe('a list that cannot come', () => {
  const [index, one, two] = twoPlatforms()
  const lying = { ...two.config, digest: two.config.digest }
  const config = JSON.parse(Buffer.from(two.blobs.get(lying.digest) as Uint8Array).toString())
  config.rootfs.diff_ids[0] = `sha256:${'0'.repeat(64)}`
  const liarConfig = add(two.blobs, mediaTypes.config, canonicalJson(config))
  const liar = resealed(two, liarConfig, two.layers)
  const without = (digest: Digest): Sample => ({
    ...index,
    blobs: new Map([...index.blobs].filter(([key]) => key !== digest)),
  })
  const rows = [
    ['a blob is missing', without(two.layers[1]?.digest as Digest), 'NOT_FOUND', 'no blob'],
    ['a manifest is missing', without(two.top.digest), 'NOT_FOUND', 'no blob'],
    [
      'the second image claims another diffID for a shared layer',
      sampleIndex([
        { ...one, platform: amd64 },
        { ...liar, platform: arm64 },
      ]),
      'DIGEST',
      "the image's configuration says",
    ],
  ] as const
  for (const [title, sample, code, text] of rows)
    it(`leaves nothing: ${title}`, async () => {
      await using bench = await newBench()
      await assert.rejects(take(bench, sample, ['web']), failsWith(code, text))
      assert.deepEqual(storeContent(bench), [])
      assert.deepEqual(readEntries(bench.store), [])
    })

  it('leaves what was there', async () => {
    await using bench = await newBench()
    await put(bench, one, 'one')
    const before = storeContent(bench)
    await assert.rejects(take(bench, without(two.layers[1]?.digest as Digest), ['web']), failsWith('NOT_FOUND'))
    assert.deepEqual(storeContent(bench), before)
    assert.deepEqual((await checkStore(bench.store, { deep: true })).problems, [])
  })
})

describe('a list goes out of the store', () => {
  for (const [transport, place] of [
    ['oci', 'oci:'],
    ['oci-archive', 'oci-archive:'],
    ['dir', 'dir:'],
  ] as const)
    it(`with all its images and the same digests: ${transport}`, async () => {
      await using bench = await newBench()
      const [index] = twoPlatforms()
      await take(bench, index, ['web'])
      const to = `${place}${bench.at('out')}`
      assert.equal((await giveOut(bench, 'web', to)).digest, index.top.digest)
      await using source = await openSource(bench.store, to)
      await using sink = await localListSink(bench.store, ['back'], to)
      assert.equal((await copyImage(source, sink, { all: true })).digest, index.top.digest)
    })

  it('by its name as the image for this machine, where one image is wanted', async () => {
    await using bench = await newBench()
    const [index, one, two] = twoPlatforms()
    await take(bench, index, ['web'])
    await using source = await localSource(bench.store, 'web')
    const wanted = process.arch === 'arm64' ? two : one
    assert.equal((await source.top()).digest, wanted.top.digest)
  })

  for (const [format, types] of [
    ['v2s2', [mediaTypes.dockerIndex, mediaTypes.dockerManifest]],
    ['oci', [mediaTypes.index, mediaTypes.manifest]],
  ] as const)
    for (const docker of [true, false])
      it(`as ${format}, from ${docker ? 'Docker' : 'OCI'} manifests`, async () => {
        await using bench = await newBench()
        const [index] = twoPlatforms({ docker })
        await take(bench, index, ['web'])
        const { mediaType } = await giveOut(bench, 'web', `oci:${bench.at('out')}:web`, format)
        const top = await topOf(bench, `oci:${bench.at('out')}:web`)
        const members = (top.manifests as { mediaType: string }[]).map((one) => one.mediaType)
        assert.deepEqual([mediaType, ...new Set(members)], types)
        await put(bench, sampleImage(), 'other')
        await using source = await openSource(bench.store, `oci:${bench.at('out')}:web`)
        await using sink = await localListSink(bench.store, ['back'], 'back')
        await copyImage(source, sink, { all: true })
      })

  it('not in Docker form with zstd layers', async () => {
    await using bench = await newBench()
    const [index] = twoPlatforms({ compression: 'zstd' })
    await take(bench, index, ['web'])
    await assert.rejects(
      giveOut(bench, 'web', `oci:${bench.at('out')}:web`, 'v2s2'),
      failsWith('UNSUPPORTED', 'tar+zstd cannot be in a docker image; say --format oci'),
    )
  })

  it('not when the store has lost one of its images', async () => {
    await using bench = await newBench()
    const [index, , two] = twoPlatforms()
    await take(bench, index, ['web'])
    rmSync(blobPath(bench.store, two.top.digest))
    await assert.rejects(
      giveOut(bench, 'web', `oci:${bench.at('out')}:web`),
      failsWith('NOT_FOUND', `its image ${two.top.digest} for linux/arm64 is not in the store`),
    )
    assert.ok(!readdirSync(bench.folder).includes('out'))
  })
})

describe('lists beside other tools', () => {
  it('skopeo reads the list and each image of it', async (t) => {
    if (!needs(t, 'skopeo')) return
    await using bench = await newBench()
    const [index] = twoPlatforms()
    await take(bench, index, ['web'])
    const to = `oci:${bench.at('out')}:web`
    await giveOut(bench, 'web', to)
    const { skopeo } = otherTools(bench)
    const raw = JSON.parse(skopeo('inspect', '--raw', to))
    assert.deepEqual(raw, await topOf(bench, to))
    for (const arch of ['amd64', 'arm64'])
      assert.equal(JSON.parse(skopeo('inspect', '--override-arch', arch, to)).Architecture, arch)
    // The store itself is a layout too.
    assert.deepEqual(JSON.parse(skopeo('inspect', '--raw', `oci:${bench.store.root}:localhost/web:latest`)), raw)
    skopeo('copy', '--all', to, `dir:${bench.at('dir')}`)
    assert.equal((await topOf(bench, `dir:${bench.at('dir')}`)).mediaType, mediaTypes.index)
  })

  // containers/image looks in a layout for OCI's own media types only.
  for (const [format, place] of [
    ['oci', 'oci'],
    ['v2s2', 'dir'],
  ] as const)
    it(`buildah takes every image of a list in the form ${format}, and gives them back`, async (t) => {
      if (!needs(t, 'buildah')) return
      await using bench = await newBench()
      const [index] = twoPlatforms()
      await take(bench, index, ['web'])
      const [out, back] = ['out', 'back'].map((name) => `${place}:${bench.at(name)}`) as [string, string]
      await giveOut(bench, 'web', out, format)
      const { buildah } = otherTools(bench)
      buildah('manifest', 'create', '--all', 'theirs', out)
      const shown = JSON.parse(buildah('manifest', 'inspect', 'theirs')) as {
        readonly manifests: readonly { readonly digest: string }[]
      }
      const ours = (await topOf(bench, out)) as unknown as typeof shown
      const digests = ({ manifests }: typeof shown) => manifests.map(({ digest }) => digest)
      assert.deepEqual(digests(shown), digests(ours))
      buildah('manifest', 'push', '--all', '-q', 'theirs', back)
      await using source = await openSource(bench.store, back)
      await using sink = await localListSink(bench.store, ['back'], 'back')
      await copyImage(source, sink, { all: true })
      const { index: again } = await findList(bench.store, 'back', 'test')
      assert.deepEqual(digests(again), digests(ours))
      assert.deepEqual((await checkStore(bench.store, { deep: true })).problems, [])
    })
})
