import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { canonicalJson } from '../../sdk/image/config.js'
import { type Descriptor, mediaTypes } from '../../sdk/image/descriptor.js'
import { digestOf, hexOf } from '../../sdk/image/digest.js'
import { deleteImage, imageDigest, listTags, referrers } from '../../sdk/transport/docker.js'
import { copyImage, openSink, openSource } from '../../sdk/transport/transport.js'
import { fail, type OwnRegistry, startOwnRegistry } from './registry/own-registry.js'
import { type RegistryServer, startRegistry } from './registry/server.js'
import { add, type Bench, failsWith, newBench, type Sample, sampleImage, sampleSource } from './sample.js'

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

async function push(image: Sample, text: string) {
  await using sink = await openSink(bench.store, text, options)
  await copyImage(sampleSource(image), sink)
}

/** An image that refers to another. */
function referrerTo(subject: Descriptor, type: string): Sample {
  const image = sampleImage({ files: [type] })
  const { config, layers } = image
  const parts = { schemaVersion: 2, mediaType: mediaTypes.manifest, artifactType: type, config, layers, subject }
  return { ...image, top: add(image.blobs, mediaTypes.manifest, canonicalJson(parts)) }
}

describe('listTags', () => {
  it('gives all of them', async () => {
    for (const tag of ['a', 'b', 'c']) await push(sampleImage(), `docker://${server.host}/tags:${tag}`)
    assert.deepEqual([...(await listTags(`docker://${server.host}/tags`, options))].sort(), ['a', 'b', 'c'])
  })

  it('is NOT_FOUND for a repository that is not there', () =>
    assert.rejects(listTags(`docker://${server.host}/none`, options), failsWith('NOT_FOUND', 'no such repository')))

  const paged = (link: (page: number) => string | undefined) => {
    let page = 0
    return startOwnRegistry({
      instead(_, response, url) {
        if (!url.pathname.endsWith('/tags/list')) return false
        const next = link(++page)
        response.writeHead(200, next === undefined ? {} : { link: `<${next}>; rel="next"` })
        response.end(JSON.stringify({ name: 'web', tags: [`tag${page}`] }))
        return true
      },
    })
  }

  it('turns pages', async () => {
    await using registry = await paged((page) => (page < 4 ? `/v2/web/tags/list?last=${page}` : undefined))
    const tags = await listTags(`docker://${registry.host}/web`, options)
    assert.deepEqual(tags, ['tag1', 'tag2', 'tag3', 'tag4'])
  })

  for (const [title, link, text] of [
    ['without an end', (page: number) => `/v2/web/tags/list?last=${page}`, 'more than 2000 pages'],
    ['that leads elsewhere', () => 'http://registry.invalid/v2/web/tags/list', 'at another registry'],
    ['that leads to itself', () => '/v2/web/tags/list?n=1000', 'the same again'],
  ] as const)
    it(`refuses a list ${title}`, async () => {
      await using registry = await paged(link)
      await assert.rejects(listTags(`docker://${registry.host}/web`, options), failsWith('INVALID', text))
    })

  for (const body of ['{"tags":[1]}', '{"tags":"a"}', '[', 'null'])
    it(`refuses ${body}`, async () => {
      await using registry = await startOwnRegistry({
        instead: (_, response, url) => url.pathname.endsWith('/tags/list') && Boolean(response.end(body)),
      })
      await assert.rejects(listTags(`docker://${registry.host}/web`, options), failsWith('INVALID'))
    })

  it('takes an endless list for what it is', async () => {
    await using registry = await startOwnRegistry({ instead: (_, response, url) => endless(url, response) })
    await assert.rejects(
      listTags(`docker://${registry.host}/web`, options),
      failsWith('INVALID', 'it has more than 8388608 bytes'),
    )
  })
})

function endless(url: URL, response: { write(chunk: Buffer, done: () => void): boolean; destroyed: boolean }): boolean {
  if (!url.pathname.endsWith('/tags/list')) return false
  const more = () => response.destroyed || response.write(Buffer.alloc(1 << 20, ' '), more)
  more()
  return true
}

describe('imageDigest', () => {
  it('asks without reading', async () => {
    const image = sampleImage()
    await push(image, `docker://${server.host}/digest:1`)
    await server.settled()
    const before = server.requests().length
    assert.equal(await imageDigest(`docker://${server.host}/digest:1`, options), image.top.digest)
    await server.settled()
    assert.deepEqual(
      server
        .requests()
        .slice(before)
        .filter((line) => line.includes('manifests')),
      ['HEAD /v2/digest/manifests/1 200'],
    )
  })

  it('is NOT_FOUND for a tag that is not there', () =>
    assert.rejects(imageDigest(`docker://${server.host}/digest:2`, options), failsWith('NOT_FOUND', 'no such image')))

  it('wants a name in a registry', () =>
    assert.rejects(imageDigest('oci:web', options), failsWith('USAGE', 'it is not in a registry')))
})

describe('deleteImage', () => {
  it('deletes what a tag stands for', async () => {
    const image = sampleImage()
    await push(image, `docker://${server.host}/gone:1`)
    assert.equal(await deleteImage(`docker://${server.host}/gone:1`, options), image.top.digest)
    await assert.rejects(
      openSource(bench.store, `docker://${server.host}/gone:1`, options),
      failsWith('NOT_FOUND', 'it has no such thing (404: MANIFEST_UNKNOWN: manifest unknown)'),
    )
    await assert.rejects(deleteImage(`docker://${server.host}/gone:1`, options), failsWith('NOT_FOUND'))
  })

  it('says when the registry permits none', async () => {
    await using registry = await startOwnRegistry({
      instead: (request, response) => request.method === 'DELETE' && fail(response, 405, 'UNSUPPORTED'),
    })
    registry.hold(sampleImage(), '1')
    await assert.rejects(
      deleteImage(`docker://${registry.host}/web:1`, options),
      failsWith('UNSUPPORTED', 'cannot do this'),
    )
  })
})

describe('referrers', () => {
  const types = ['application/vnd.example.signature', 'application/vnd.example.list'] as const
  const image = sampleImage()

  async function pushAll(host: string) {
    await push(image, `docker://${host}/web:1`)
    const pushed = types.map((type) => referrerTo(image.top, type))
    for (const one of pushed) await push(one, `docker://${host}/web@${one.top.digest}`)
    return pushed.map(({ top }) => top.digest)
  }

  for (const [title, start] of [
    ['a list of the registry', () => startOwnRegistry({ hasReferrers: true })],
    ['a tag of the subject', () => startOwnRegistry({ hasReferrers: false })],
  ] as const)
    it(`come from ${title}`, async () => {
      await using registry: OwnRegistry = await start()
      const digests = await pushAll(registry.host)
      const found = await referrers(`docker://${registry.host}/web:1`, options)
      assert.deepEqual(
        found.map(({ digest }) => digest),
        digests,
      )
      const some = await referrers(`docker://${registry.host}/web:1`, { ...options, artifactType: types[1] })
      assert.deepEqual(
        some.map(({ digest, artifactType }) => [digest, artifactType]),
        [[digests[1], types[1]]],
      )
      const tag = `sha256-${hexOf(image.top.digest)}`
      assert.equal(registry.manifests.has(tag), title.startsWith('a tag'))
    })

  it('come from a tag of the subject at a real registry', async () => {
    const digests = await pushAll(server.host)
    const found = await referrers(`docker://${server.host}/web:1`, options)
    assert.deepEqual(
      found.map(({ digest }) => digest),
      digests,
    )
  })

  it('are none for an image that nothing refers to', async () => {
    const lonely = sampleImage({ files: ['lonely'] })
    await push(lonely, `docker://${server.host}/web:2`)
    assert.deepEqual(await referrers(`docker://${server.host}/web:2`, options), [])
    assert.equal(digestOf(lonely.blobs.get(lonely.top.digest) as Buffer), lonely.top.digest)
  })
})
