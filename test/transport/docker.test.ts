import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Digest, digestOf, hexOf } from '../../sdk/image/digest.js'
import { isIndex, parseManifest } from '../../sdk/image/manifest.js'
import { decompress } from '../../sdk/layer/compress.js'
import { findImage } from '../../sdk/store/find-image.js'
import { copyImage, openSink, openSource } from '../../sdk/transport/transport.js'
import { layoutFaults } from '../oci-rules.js'
import { type OtherTools, otherTools, rootfs } from './other-tools.js'
import { type RegistryServer, startRegistry } from './registry/server.js'
import {
  type Bench,
  failsWith,
  newBench,
  type Sample,
  sampleImage,
  sampleIndex,
  sampleSource,
  write,
} from './sample.js'

const options = { registry: { tlsVerify: false }, patience: { delay: 5 } }

let bench: Bench
let server: RegistryServer
before(async () => {
  bench = await newBench()
  server = await startRegistry(bench.at('registry'))
})
after(async () => {
  await server[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
})

const at = (name: string) => `docker://${server.host}/${name}`

async function push(image: Sample, text: string, all = true) {
  await using sink = await openSink(bench.store, text, options)
  return await copyImage(sampleSource(image), sink, { all })
}

async function transfer(from: string, to: string, all = false) {
  await using source = await openSource(bench.store, from, options)
  await using sink = await openSink(bench.store, to, options)
  return await copyImage(source, sink, { all })
}

/** What a name gives: the manifest's digest and the layers' diffIDs. */
async function essence(text: string) {
  await using source = await openSource(bench.store, text, options)
  const top = await source.top()
  const manifest = parseManifest(top.bytes, text)
  assert.ok(!isIndex(manifest))
  const diffIDs: Digest[] = []
  for (const layer of manifest.layers) {
    const chunks: Uint8Array[] = []
    for await (const chunk of decompress(await source.blob(layer))) chunks.push(chunk)
    diffIDs.push(digestOf(Buffer.concat(chunks)))
  }
  return { digest: top.digest, diffIDs }
}

/** What was asked of the registry meanwhile. */
async function askedDuring(work: () => Promise<unknown>): Promise<readonly string[]> {
  await server.settled()
  const before = server.requests().length
  await work()
  await server.settled()
  return server.requests().slice(before)
}

describe('docker://', () => {
  for (const compression of ['none', 'gzip', 'zstd'] as const)
    for (const docker of [false, true])
      it(`gives back what was put: ${docker ? 'Docker' : 'OCI'} manifest, layers ${compression}`, async () => {
        const image = sampleImage({ compression, docker })
        await push(image, at(`kinds:${compression}`))
        const found = await essence(at(`kinds:${compression}`))
        assert.deepEqual(found, { digest: image.top.digest, diffIDs: image.diffIDs })
      })

  it('gives an index with all its images, and each by its digest', async () => {
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }))
    const images = platforms.map((platform) => ({
      ...sampleImage({ platform, files: [platform.architecture] }),
      platform,
    }))
    const index = sampleIndex(images)
    await push(index, at('index:1'))
    await transfer(at('index:1'), `dir:${bench.at('index')}`, true)
    await using source = await openSource(bench.store, at('index:1'), options)
    assert.equal((await source.top()).digest, index.top.digest)
    for (const image of images)
      assert.deepEqual((await essence(at(`index@${image.top.digest}`))).diffIDs, image.diffIDs)
  })

  it('replaces a tag', async () => {
    const [one, two] = [sampleImage({ files: ['one'] }), sampleImage({ files: ['two'] })]
    await push(one, at('tag:1'))
    await push(two, at('tag:1'))
    assert.equal((await essence(at('tag:1'))).digest, two.top.digest)
    assert.equal((await essence(at(`tag@${one.top.digest}`))).digest, one.top.digest)
  })

  it('pushes without a tag to a digest, when it is the image’s', async () => {
    const image = sampleImage({ files: ['by digest'] })
    await push(image, at(`digest@${image.top.digest}`))
    assert.equal((await essence(at(`digest@${image.top.digest}`))).digest, image.top.digest)
    await assert.rejects(
      push(sampleImage({ files: ['else'] }), at(`digest@${image.top.digest}`)),
      failsWith('USAGE', 'the image that is written has the digest'),
    )
  })

  it('shows a tag only when all of its image is there', async () => {
    const image = sampleImage({ files: ['late', 'later'] })
    const asked = await askedDuring(() => push(image, at('order:1')))
    const writes = asked.filter((line) => line.startsWith('PUT'))
    assert.deepEqual(
      writes.map((line) => line.replace(/uploads\/\S+/, 'uploads/x')),
      [...Array(3).fill('PUT /v2/order/blobs/uploads/x 201'), 'PUT /v2/order/manifests/1 201'],
    )
  })

  it('sends nothing that the repository has', async () => {
    const image = sampleImage({ files: ['sent', 'once'] })
    await push(image, at('again:1'))
    const asked = await askedDuring(() => push(image, at('again:2')))
    assert.deepEqual(
      asked.map((line) => line.split(' ')[0]).filter((method) => method === 'POST' || method === 'PATCH'),
      [],
    )
  })

  it('mounts what another repository of the registry has', async () => {
    const image = sampleImage({ files: ['mounted', 'too'] })
    await push(image, at('here:1'))
    const asked = await askedDuring(() => transfer(at('here:1'), at('deep/there:1')))
    assert.equal(asked.filter((line) => line === 'POST /v2/deep/there/blobs/uploads/ 201').length, 3)
    assert.deepEqual(
      asked.filter((line) => line.includes('uploads/') && !line.startsWith('POST')),
      [],
    )
    assert.deepEqual(
      asked.filter((line) => line.startsWith('GET /v2/here/blobs')),
      [],
    )
    assert.deepEqual((await essence(at('deep/there:1'))).diffIDs, image.diffIDs)
  })

  it('mounts from where registries.conf has the image read, not from where its name says', async () => {
    const image = sampleImage({ files: ['moved', 'away'] })
    await push(image, at('moved/here:1'))
    const tables = [
      `[[registry]]\nprefix = "docker.test/web"\nlocation = "${server.host}/moved/here"\ninsecure = true`,
      `[[registry]]\nlocation = "${server.host}"\ninsecure = true`,
    ]
    const registriesConf = write(bench.at('moved.conf'), tables.join('\n'))
    const moved = { registry: { registriesConf, registriesConfDir: bench.at('none') } }
    const asked = await askedDuring(async () => {
      await using source = await openSource(bench.store, 'docker://docker.test/web:1', moved)
      await using sink = await openSink(bench.store, at('moved/there:1'), moved)
      await copyImage(source, sink)
    })
    assert.equal(asked.filter((line) => line === 'POST /v2/moved/there/blobs/uploads/ 201').length, 3)
    assert.deepEqual((await essence(at('moved/there:1'))).diffIDs, image.diffIDs)
  })

  it('mounts what an image of the store was pulled from', async () => {
    const image = sampleImage({ files: ['a base', 'another'] })
    await push(image, at('base:1'))
    await transfer(at('base:1'), `${server.host}/base:1`)
    const asked = await askedDuring(() => transfer(`${server.host}/base:1`, at('derived:1')))
    assert.equal(asked.filter((line) => line === 'POST /v2/derived/blobs/uploads/ 201').length, 3)
    assert.deepEqual((await essence(at('derived:1'))).diffIDs, image.diffIDs)
  })

  it('comes into the store and goes out again with the same digest', async () => {
    const image = sampleImage({ files: ['to the store'] })
    await push(image, at('store:1'))
    await transfer(at('store:1'), 'stored')
    assert.equal((await findImage(bench.store, 'stored', 'test')).id, hexOf(image.config.digest))
    assert.deepEqual(layoutFaults(bench.store.root), [])
    await transfer('stored', at('store:2'))
    assert.equal((await essence(at('store:2'))).digest, image.top.digest)
  })

  it('suggests the name it was pulled by, and none for a digest', async () => {
    const image = sampleImage()
    await push(image, at('name:1'))
    const nameOf = async (text: string) => {
      await using source = await openSource(bench.store, text, options)
      return source.suggestedName
    }
    assert.equal(await nameOf(at('name:1')), `${server.host}/name:1`)
    assert.equal(await nameOf(at(`name@${image.top.digest}`)), undefined)
  })

  it('takes a blob whose digest nobody knows yet', async () => {
    await using sink = await openSink(bench.store, at('stream:1'), options)
    const bytes = Buffer.alloc(40_000_000, 'layer')
    const stream = async function* () {
      for (let place = 0; place < bytes.length; place += 100_000) yield bytes.subarray(place, place + 100_000)
    }
    const asked = await askedDuring(async () =>
      assert.deepEqual(await sink.putStream?.(stream()), { digest: digestOf(bytes), size: bytes.length }),
    )
    assert.equal(asked.filter((line) => line.startsWith('PATCH')).length, 3)
    const descriptor = { mediaType: 'x', digest: digestOf(bytes), size: bytes.length }
    assert.ok(await sink.hasBlob(descriptor))
  })

  for (const [text, code, words] of [
    [
      'none:1',
      'NOT_FOUND',
      'it has no such thing (404: MANIFEST_UNKNOWN: manifest unknown); check the name and the tag',
    ],
    ['UPPER:1', 'INVALID', 'use lower-case letters'],
    ['a b', 'INVALID', 'it is not [registry/]repository'],
  ] as const)
    it(`${text} is ${code}`, () => assert.rejects(openSource(bench.store, at(text), options), failsWith(code, words)))

  it('without a name is a wrong use', () =>
    assert.rejects(openSource(bench.store, 'docker://'), failsWith('USAGE', 'it has no name behind //')))
})

describe('other tools and a registry', () => {
  let tools: OtherTools
  const image = sampleImage({ files: ['for others'] })
  before(async () => {
    tools = otherTools(bench)
    await push(image, at('mine:1'))
  })

  it('skopeo reads what builder pushed', () => {
    tools.skopeo('copy', '--src-tls-verify=false', at('mine:1'), `dir:${bench.at('read')}`)
    assert.equal(tools.skopeo('manifest-digest', bench.at('read/manifest.json')), image.top.digest)
    const found = JSON.parse(tools.skopeo('inspect', '--tls-verify=false', at('mine:1')))
    assert.deepEqual([found.Digest, found.RepoTags], [image.top.digest, ['1']])
  })

  for (const format of ['oci', 'v2s2'])
    it(`builder reads what skopeo pushed as ${format}`, async () => {
      await transfer(at('mine:1'), `oci:${bench.at('layout')}:mine`)
      const to = ['--dest-tls-verify=false', '--format', format]
      tools.skopeo('copy', ...to, `oci:${bench.at('layout')}:mine`, at(`theirs:${format}`))
      assert.deepEqual((await essence(at(`theirs:${format}`))).diffIDs, image.diffIDs)
    })

  it('podman pulls what builder pushed and it runs, and builder pulls what podman pushed', async () => {
    const container = tools.buildah('from', 'scratch')
    tools.buildah('copy', container, rootfs(bench), '/')
    tools.buildah('config', '--cmd', '/bin/busybox echo it runs', container)
    tools.buildah('commit', '-q', container, `oci:${bench.at('start')}:start`)
    await transfer(`oci:${bench.at('start')}`, at('run:1'))
    const id = tools.podman('pull', '-q', '--tls-verify=false', `${server.host}/run:1`)
    assert.match(id, /^[0-9a-f]{64}$/)
    const mounted = tools.buildah('from', id)
    assert.equal(tools.buildah('run', mounted, '--', '/bin/busybox', 'echo', 'it runs'), 'it runs')
    tools.podman('push', '-q', '--tls-verify=false', id, `${server.host}/podman:1`)
    await transfer(at('podman:1'), 'from-podman')
    assert.deepEqual((await findImage(bench.store, 'from-podman', 'test')).config.config?.Cmd, [
      '/bin/busybox',
      'echo',
      'it',
      'runs',
    ])
  })
})
