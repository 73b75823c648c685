import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { parsePlatform } from '../../sdk/image/platform.js'
import { openSink, openSource } from '../../sdk/transport/transport.js'
import { layoutFaults } from '../oci-rules.js'
import {
  add,
  type Bench,
  copy,
  failsWith,
  newBench,
  put,
  type Sample,
  sampleImage,
  sampleIndex,
  write,
} from './sample.js'

describe('oci: an existing layout', () => {
  it('keeps other refs and what it does not know, and replaces the same ref', async () => {
    await using bench = await newBench()
    const images = ['a', 'b', 'c'].map((file) => sampleImage({ files: [file] }))
    await put(bench, images[0] as Sample, to(bench, 'a'))
    edit(bench, (index) => ({ ...index, annotations: { who: 'me' } }))
    await put(bench, images[1] as Sample, to(bench, 'b'))
    await put(bench, images[2] as Sample, to(bench, 'a'))
    const index = readIndex(bench)
    assert.deepEqual(index.annotations, { who: 'me' })
    assert.deepEqual(refsOf(index), ['b', 'a'])
    assert.deepEqual(
      index.manifests.map((entry: { digest: string }) => entry.digest),
      [images[1]?.top.digest, images[2]?.top.digest],
    )
    assert.deepEqual(layoutFaults(bench.at('image')), [])
  })

  it('of two writers at once loses neither', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage(), to(bench, 'first'))
    const names = Array.from({ length: 8 }, (_, i) => `n${i}`)
    await Promise.all(names.map((name) => put(bench, sampleImage({ files: [name] }), to(bench, name))))
    assert.deepEqual(refsOf(readIndex(bench)).sort(), ['first', ...names])
    assert.deepEqual(layoutFaults(bench.at('image')), [])
  })

  it('gets a damaged blob written again', async () => {
    await using bench = await newBench()
    const image = sampleImage()
    await put(bench, image, to(bench, 'a'))
    const path = bench.at(`image/blobs/${image.layers[0]?.digest.replace(':', '/')}`)
    writeFileSync(path, Buffer.alloc(readFileSync(path).length))
    await put(bench, image, to(bench, 'b'))
    assert.deepEqual(layoutFaults(bench.at('image')), [])
  })

  it('may be an empty directory', async () => {
    await using bench = await newBench()
    mkdirSync(bench.at('image'))
    await put(bench, sampleImage(), to(bench, 'a'))
    assert.deepEqual(readdirSync(bench.at('image')).sort(), ['blobs', 'index.json', 'oci-layout'])
    assert.deepEqual(layoutFaults(bench.at('image')), [])
  })

  for (const kind of ['oci', 'dir'] as const)
    it(`is not any directory with files in it: ${kind}`, async () => {
      await using bench = await newBench()
      write(bench.at('image/precious'), 'x')
      await assert.rejects(openSink(bench.store, `${kind}:${bench.at('image')}`), failsWith('EXISTS'))
      assert.deepEqual(readdirSync(bench.at('image')), ['precious'])
    })

  it('is not any file that is no archive: oci-archive', async () => {
    await using bench = await newBench()
    write(bench.at('passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
    await assert.rejects(
      openSink(bench.store, `oci-archive:${bench.at('passwd')}`),
      failsWith('EXISTS', 'a file that is no archive is there'),
    )
    assert.equal(readFileSync(bench.at('passwd'), 'utf8'), 'root:x:0:0:root:/root:/bin/sh\n')
  })

  it('whose folder does not exist is NOT_FOUND', async () => {
    await using bench = await newBench()
    for (const kind of ['oci', 'oci-archive', 'docker-archive', 'dir'])
      await assert.rejects(
        openSink(bench.store, `${kind}:${bench.at('no/such')}`),
        failsWith('NOT_FOUND', 'its folder does not exist'),
      )
  })
})

describe('oci: refs', () => {
  it('may be left out when there is one image', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage(), to(bench, 'some/name:tag'))
    await using source = await openSource(bench.store, `oci:${bench.at('image')}`)
    assert.equal(source.suggestedName, 'some/name:tag')
  })

  it('are listed when several images are there', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage({ files: ['a'] }), to(bench, 'a'))
    await put(bench, sampleImage({ files: ['b'] }), to(bench, 'b'))
    await put(bench, sampleImage({ files: ['c'] }), `oci:${bench.at('image')}`)
    const layout = `oci:${bench.at('image')}`
    await assert.rejects(
      openSource(bench.store, layout),
      failsWith('USAGE', 'it holds 3 images; name one of: a, b, @2'),
    )
    await assert.rejects(openSource(bench.store, `${layout}:x`), failsWith('NOT_FOUND', 'name one of: a, b, @2'))
    await using third = await openSource(bench.store, `${layout}:@2`)
    assert.equal((await third.top()).digest, sampleImage({ files: ['c'] }).top.digest)
  })

  for (const ref of ['a b', '-a', 'a..b', 'a/', 'é'])
    it(`cannot be ${JSON.stringify(ref)}`, async () => {
      await using bench = await newBench()
      for (const kind of ['oci', 'oci-archive'])
        await assert.rejects(openSink(bench.store, `${kind}:${bench.at('image')}:${ref}`), failsWith('USAGE', 'ref'))
      assert.deepEqual(readdirSync(bench.folder).sort(), ['run', 'store'])
    })

  it('may be the full name that containerd writes', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage(), to(bench, 'latest'))
    edit(bench, (index) => {
      index.manifests[0].annotations['io.containerd.image.name'] = 'docker.io/library/web:latest'
      return index
    })
    await using source = await openSource(bench.store, to(bench, 'docker.io/library/web:latest'))
    assert.equal(source.suggestedName, 'docker.io/library/web:latest')
  })
})

describe('oci: indexes', () => {
  const platforms = ['linux/amd64', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm64/v8'].map(parsePlatform)
  const images = platforms.map((platform) => ({
    ...sampleImage({ files: [platform.architecture], platform }),
    platform,
  }))
  const inner = sampleIndex(images.slice(1))
  const nested = sampleIndex([images[0] as (typeof images)[0], inner])

  for (const [wanted, found] of [
    ['linux/amd64', 0],
    ['linux/arm/v6', 1],
    ['linux/arm/v7', 2],
    ['linux/arm/v8', 2],
    ['linux/arm64', 3],
    ['linux/arm', 1],
  ] as const)
    it(`gives ${wanted}, through nested ones too`, async () => {
      await using bench = await newBench()
      await put(bench, nested, to(bench, 'all'))
      const options = { platform: parsePlatform(wanted) }
      const copied = await copy(bench, to(bench, 'all'), `dir:${bench.at('one')}`, options)
      assert.equal(copied.digest, images[found]?.top.digest)
    })

  it('says what it has when the platform is missing', async () => {
    await using bench = await newBench()
    await put(bench, nested, to(bench, 'all'))
    const copying = copy(bench, to(bench, 'all'), `dir:${bench.at('one')}`, { platform: parsePlatform('linux/s390x') })
    const hint = 'choose one of: linux/amd64, linux/arm/v6, linux/arm/v7, linux/arm64/v8'
    await assert.rejects(copying, failsWith('NOT_FOUND', hint))
  })

  it('refuses a single image of another platform than was asked for', async () => {
    await using bench = await newBench()
    await put(bench, images[0] as Sample, to(bench, 'one'))
    const copying = copy(bench, to(bench, 'one'), `dir:${bench.at('one')}`, { platform: parsePlatform('linux/arm64') })
    await assert.rejects(copying, failsWith('NOT_FOUND', 'it is for linux/amd64, not for linux/arm64'))
  })

  for (const kind of ['oci', 'oci-archive', 'dir'])
    it(`are copied whole with all: ${kind}`, async () => {
      await using bench = await newBench()
      await put(bench, nested, to(bench, 'all'))
      const there = `${kind}:${bench.at('copy')}`
      await copy(bench, to(bench, 'all'), there, { all: true })
      await copy(bench, there, `oci:${bench.at('back')}:all`, { all: true })
      assert.equal(readIndex(bench, 'back').manifests[0].digest, nested.top.digest)
      assert.deepEqual(layoutFaults(bench.at('back')), [])
    })

  for (const place of ['docker-archive:', ''])
    it(`do not fit whole into ${place || 'the store'}`, async () => {
      await using bench = await newBench()
      const there = place === '' ? 'web' : `${place}${bench.at('copy')}`
      await assert.rejects(put(bench, nested, there), failsWith('UNSUPPORTED', 'choose one with --platform'))
    })

  it('of one image without a platform give that image', async () => {
    await using bench = await newBench()
    const image = sampleImage()
    await put(bench, sampleIndex([image]), to(bench, 'all'))
    const copied = await copy(bench, to(bench, 'all'), `dir:${bench.at('one')}`)
    assert.equal(copied.digest, image.top.digest)
  })

  it('that are nested without an end are refused', async () => {
    await using bench = await newBench()
    let index = sampleIndex([sampleImage()])
    for (let i = 0; i < 12; i++) index = sampleIndex([index])
    await assert.rejects(put(bench, index, to(bench, 'deep')), failsWith('INVALID', 'nested'))
    await assert.rejects(put(bench, index, to(bench, 'deep'), {}), failsWith('INVALID', 'nested'))
  })

  it('whose entries are something else than they say are refused', async () => {
    await using bench = await newBench()
    const image = sampleImage()
    const lying = sampleIndex([{ ...image, top: { ...image.top, mediaType: mediaTypes.index } }])
    await assert.rejects(put(bench, lying, to(bench, 'all')), failsWith('INVALID', 'descriptor says'))
  })
})

describe('oci: broken layouts', () => {
  for (const [title, file, content, text] of [
    ['without oci-layout', 'oci-layout', undefined, 'oci-layout is missing'],
    ['of another version', 'oci-layout', '{"imageLayoutVersion":"2.0.0"}', '"2.0.0" is not 1.0.0'],
    ['without index.json', 'index.json', undefined, 'it has no index.json'],
    ['with an index.json that is not JSON', 'index.json', 'x', 'not valid JSON'],
    ['with a manifest as index.json', 'index.json', manifestText(), 'not an index'],
    ['with a Docker schema 1 manifest', 'index.json', '{"schemaVersion":1}', 'schema 1'],
    ['with no image', 'index.json', '{"schemaVersion":2,"manifests":[]}', 'it holds no image'],
  ] as const)
    it(`are refused: ${title}`, async () => {
      await using bench = await newBench()
      await put(bench, sampleImage(), to(bench, 'a'))
      const path = bench.at(`image/${file}`)
      if (content === undefined) rmSync(path)
      else writeFileSync(path, content)
      await assert.rejects(openSource(bench.store, to(bench, 'a')), failsWith(['INVALID', 'NOT_FOUND'], text))
    })
})

function to(bench: Bench, ref: string): string {
  return `oci:${bench.at('image')}:${ref}`
}

function readIndex(bench: Bench, name = 'image') {
  return JSON.parse(readFileSync(bench.at(`${name}/index.json`), 'utf8'))
}

function edit(bench: Bench, change: (index: ReturnType<typeof readIndex>) => unknown): void {
  writeFileSync(bench.at('image/index.json'), JSON.stringify(change(readIndex(bench))))
}

function refsOf(index: ReturnType<typeof readIndex>): string[] {
  return index.manifests.map((entry: Sample['top']) => entry.annotations?.['org.opencontainers.image.ref.name'])
}

function manifestText(): string {
  const config = add(new Map(), mediaTypes.config, '{}')
  return JSON.stringify({ schemaVersion: 2, config, layers: [] })
}
