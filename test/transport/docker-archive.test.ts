import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { hexOf } from '../../sdk/image/digest.js'
import { isIndex, parseManifest } from '../../sdk/image/manifest.js'
import { openSink, openSource } from '../../sdk/transport/transport.js'
import { layoutFaults } from '../oci-rules.js'
import {
  add,
  type Bench,
  copy,
  failsWith,
  host,
  newBench,
  put,
  resealed,
  type Sample,
  sampleImage,
  type TarEntry,
  tarOf,
  write,
} from './sample.js'

const image = sampleImage({ files: ['a', 'b'], compression: 'none' })
const config = bytesOf(image, image.config.digest)
const [first, second] = image.layers.map(({ digest }) => bytesOf(image, digest)) as [Uint8Array, Uint8Array]
const configName = `${hexOf(image.config.digest)}.json`
const [hexA, hexB] = image.diffIDs.map(hexOf) as [string, string]
const other = sampleImage({ files: ['a', 'other'], compression: 'none' })

describe('docker-archive: what others write', () => {
  for (const [title, entries] of [
    [
      'docker save before 25: a folder a layer, a shared one as a link',
      {
        'x/VERSION': '1.0',
        'x/layer.tar': first,
        'y/json': '{}',
        'y/layer.tar': second,
        'z/layer.tar': { type: 'SymbolicLink', linkpath: '../x/layer.tar' },
        [configName]: config,
        'manifest.json': list([configName, ['web:1'], ['z/layer.tar', 'y/layer.tar']]),
        repositories: '{"web":{"1":"y"}}',
      },
    ],
    [
      'docker save since 25: an OCI layout inside',
      {
        [`blobs/sha256/${hexOf(image.config.digest)}`]: config,
        [`blobs/sha256/${hexA}`]: first,
        [`blobs/sha256/${hexB}`]: second,
        'index.json': '{"schemaVersion":2,"manifests":[]}',
        'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
        'manifest.json': list([
          `blobs/sha256/${hexOf(image.config.digest)}`,
          ['web:1'],
          [`blobs/sha256/${hexA}`, `blobs/sha256/${hexB}`],
        ]),
      },
    ],
    [
      'podman and skopeo: layers by diffID, links to them',
      {
        [`${hexA}.tar`]: first,
        [`${hexB}.tar`]: second,
        'x/layer.tar': { type: 'SymbolicLink', linkpath: `../${hexA}.tar` },
        [configName]: config,
        'manifest.json': list([configName, ['docker.io/library/web:1'], [`${hexA}.tar`, `${hexB}.tar`]]),
      },
    ],
    [
      'a configuration of any name, names with ./',
      {
        './config': config,
        './a.tar': first,
        './b.tar': second,
        './manifest.json': list(['config', ['web:1'], ['a.tar', 'b.tar']]),
      },
    ],
  ] as readonly (readonly [string, Record<string, TarEntry>])[])
    it(`is read: ${title}`, async () => {
      await using bench = await newBench()
      write(bench.at('saved'), tarOf(entries))
      for (const ref of ['', ':web:1', ':docker.io/library/web:1', ':@0']) {
        const to = `oci:${bench.at(`out${ref.length}`)}`
        const { digest } = await copy(bench, `docker-archive:${bench.at('saved')}${ref}`, to)
        assert.equal(digest, image.top.digest, 'the same manifest as the same uncompressed OCI image has')
        assert.deepEqual(layoutFaults(to.slice(4)), [])
      }
    })

  it('is read with compressed layers, which keep their digests', async () => {
    await using bench = await newBench()
    const zipped = sampleImage({ files: ['a', 'b'], compression: 'gzip' })
    const names = zipped.layers.map(({ digest }) => `blobs/sha256/${hexOf(digest)}`)
    const blobs = names.map(
      (name, i) => [name, bytesOf(zipped, zipped.layers[i]?.digest as `sha256:${string}`)] as const,
    )
    const unnamed = ['l.tar.gz', gzipSync(first, { level: 1 })] as const
    const json = list([configName, [], names], [configName, ['b'], ['l.tar.gz', names[1] as string]])
    write(bench.at('saved'), tarOf([...blobs, unnamed, [configName, config], ['manifest.json', json]]))
    const archive = `docker-archive:${bench.at('saved')}`
    assert.equal((await copy(bench, `${archive}:@0`, `oci:${bench.at('a')}`)).digest, zipped.top.digest)
    await copy(bench, `${archive}:b`, `oci:${bench.at('b')}`)
    assert.deepEqual(layoutFaults(bench.at('b')), [])
  })

  it('may be compressed as a whole', async () => {
    await using bench = await newBench()
    write(bench.at('saved'), gzipSync(saved()))
    const { digest } = await copy(bench, `docker-archive:${bench.at('saved')}`, `oci:${bench.at('out')}`)
    assert.equal(digest, image.top.digest)
  })

  it('may hold several images: their names are listed', async () => {
    await using bench = await newBench()
    const archive = `docker-archive:${write(bench.at('saved'), twoSaved())}`
    await assert.rejects(
      openSource(bench.store, archive),
      failsWith('USAGE', 'it holds 2 images; name one of: web:1, @1'),
    )
    await assert.rejects(openSource(bench.store, `${archive}:web:2`), failsWith('NOT_FOUND', 'name one of: web:1, @1'))
    for (const [ref, wanted] of [
      ['web:1', image],
      ['@1', other],
    ] as const) {
      await using source = await openSource(bench.store, `${archive}:${ref}`)
      assert.equal(configOf((await source.top()).bytes), wanted.config.digest)
      assert.equal(source.suggestedName, ref === '@1' ? undefined : 'web:1')
    }
  })
})

describe('docker-archive: what is refused', () => {
  const other = `${'0'.repeat(64)}.json`
  for (const [title, entries, code, text] of [
    ['without manifest.json', {}, 'INVALID', 'it has no manifest.json'],
    ['an OCI archive', { 'oci-layout': '{}' }, 'INVALID', 'read it as oci-archive:'],
    ['an empty list', { 'manifest.json': '[]' }, 'NOT_FOUND', 'no image'],
    ['a list of something else', { 'manifest.json': '[1]' }, 'INVALID', 'it is not an image'],
    ['no list', { 'manifest.json': '{}' }, 'INVALID', 'not a list'],
    ['a missing configuration', { 'manifest.json': list(['c', [], []]) }, 'NOT_FOUND', 'it has no c'],
    ['another configuration', { [other]: config, 'manifest.json': list([other, [], []]) }, 'DIGEST', 'has the digest'],
    ['too few layers', { c: config, a: first, 'manifest.json': list(['c', [], ['a']]) }, 'INVALID', 'has 2 layers'],
    ['a missing layer', { c: config, 'manifest.json': list(['c', [], ['a', 'b']]) }, 'NOT_FOUND', 'layer a is missing'],
    [
      'a path up',
      { c: config, 'manifest.json': list(['../../etc/passwd', [], []]) },
      'NOT_FOUND',
      'it has no ../../etc',
    ],
  ] as const)
    it(title, async () => {
      await using bench = await newBench()
      write(bench.at('saved'), tarOf(entries as Record<string, TarEntry>))
      await assert.rejects(openSource(bench.store, `docker-archive:${bench.at('saved')}`), failsWith(code, text))
    })

  it('a layer that is not the one the configuration names', async () => {
    await using bench = await newBench()
    write(bench.at('saved'), tarOf({ c: config, a: second, b: first, 'manifest.json': list(['c', [], ['a', 'b']]) }))
    for (const to of [`oci:${bench.at('out')}`, 'web', `docker-archive:${bench.at('out')}`])
      await assert.rejects(copy(bench, `docker-archive:${bench.at('saved')}`, to), failsWith('DIGEST'))
  })

  for (const ref of ['Web', 'web@sha256:abc', `web@sha256:${'0'.repeat(64)}`])
    it(`the name ${ref}`, async () => {
      await using bench = await newBench()
      await assert.rejects(openSink(bench.store, `docker-archive:${bench.at('out')}:${ref}`), failsWith('USAGE'))
    })
})

describe('docker-archive: what is written', () => {
  for (const [ref, tags] of [
    ['', null],
    [':web', ['docker.io/library/web:latest']],
    [':me/web:1', ['docker.io/me/web:1']],
    [':localhost/web:1', ['localhost/web:1']],
    [':registry.example:5000/a/web:1', ['registry.example:5000/a/web:1']],
  ] as const)
    it(`is named ${JSON.stringify(tags)} for "${ref}"`, async () => {
      await using bench = await newBench()
      await put(
        bench,
        sampleImage({ files: ['a', 'b'], compression: 'zstd' }),
        `docker-archive:${bench.at('out')}${ref}`,
      )
      const [one] = JSON.parse(host(['tar', '-xOf', bench.at('out'), 'manifest.json']))
      assert.deepEqual(one, { Config: configName, RepoTags: tags, Layers: [`${hexA}.tar`, `${hexB}.tar`] })
      assert.deepEqual(host(['tar', '-xOf', bench.at('out'), `${hexB}.tar`]), Buffer.from(second).toString())
    })

  it('may go into an empty file that mktemp made', async () => {
    await using bench = await newBench()
    await put(bench, image, `docker-archive:${write(bench.at('out'), '')}`)
    await openAndClose(bench, `docker-archive:${bench.at('out')}`)
  })

  it('is refused when one layer has two diffIDs', async () => {
    await using bench = await newBench()
    const [a] = image.layers
    const twofold = resealed({ ...image, blobs: new Map(image.blobs) }, image.config, [a, a] as Sample['layers'])
    await assert.rejects(put(bench, twofold, `docker-archive:${bench.at('out')}`), failsWith('INVALID', 'two diffIDs'))
  })

  it('is refused when a compressed layer is another than the configuration says', async () => {
    await using bench = await newBench()
    const zipped = sampleImage({ files: ['a', 'b'] })
    const [a, b] = zipped.layers
    const bytes = parseManifest(bytesOf(zipped, zipped.top.digest), 'test')
    assert.ok(!isIndex(bytes))
    const swapped = { ...bytes, layers: [b, a] }
    const blobs = new Map(zipped.blobs)
    const top = add(blobs, mediaTypes.manifest, JSON.stringify(swapped))
    await assert.rejects(
      put(bench, { ...zipped, top, blobs }, `docker-archive:${bench.at('out')}`),
      failsWith('DIGEST', 'diffID'),
    )
  })
})

async function openAndClose(bench: Bench, text: string): Promise<void> {
  await using _ = await openSource(bench.store, text)
}

function bytesOf({ blobs }: Sample, digest: `sha256:${string}`): Uint8Array {
  return blobs.get(digest) as Uint8Array
}

function configOf(bytes: Uint8Array) {
  const manifest = parseManifest(bytes, 'test')
  return isIndex(manifest) ? undefined : manifest.config.digest
}

function list(...images: readonly (readonly [string, readonly string[], readonly string[]])[]): string {
  return JSON.stringify(images.map(([Config, RepoTags, Layers]) => ({ Config, RepoTags, Layers })))
}

function saved(): Buffer {
  return tarOf({ c: config, a: first, b: second, 'manifest.json': list(['c', ['web:1'], ['a', 'b']]) })
}

function twoSaved(): Buffer {
  const last = bytesOf(other, other.layers[1]?.digest as `sha256:${string}`)
  const json = list(['c', ['web:1'], ['a', 'b']], ['d', [], ['a', 'e']])
  const two = bytesOf(other, other.config.digest)
  return tarOf({ c: config, a: first, b: second, d: two, e: last, 'manifest.json': json })
}
