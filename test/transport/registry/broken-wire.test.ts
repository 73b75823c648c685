import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type Digest, digestOf } from '../../../sdk/image/digest.js'
import { copyImage, openSink, openSource } from '../../../sdk/transport/transport.js'
import { add, type Bench, failsWith, newBench, resealed, type Sample, sampleImage, sampleSource } from '../sample.js'
import { fail, startOwnRegistry } from './own-registry.js'
import { type RegistryServer, startRegistry } from './server.js'
import { startWire } from './wire.js'

const options = { registry: { tlsVerify: false }, patience: { delay: 5, stall: 5000 } }

/** An image with one layer of random bytes, which is enough for who does not unpack. */
function largeImage(size: number): Sample {
  const image = sampleImage()
  const layer = add(image.blobs, image.layers[0]?.mediaType as string, randomBytes(size))
  return resealed(image, image.config, [layer])
}

const layerOf = ({ layers: [layer] }: Sample) => layer as Sample['config']

async function push(bench: Bench, image: Sample, text: string) {
  await using sink = await openSink(bench.store, text, options)
  const source = sampleSource(image)
  // A file comes in pieces, too.
  const blob = async (descriptor: Sample['config']) => {
    const whole = await source.blob(descriptor)
    return (async function* () {
      for await (const piece of whole)
        for (let at = 0; at < piece.length; at += 500_000) yield piece.subarray(at, at + 500_000)
    })()
  }
  await copyImage({ ...source, blob }, sink)
}

/** Downloads the image's layer and gives its digest. */
async function download(bench: Bench, image: Sample, text: string): Promise<Digest> {
  await using source = await openSource(bench.store, text, options)
  const chunks: Uint8Array[] = []
  for await (const chunk of await source.blob(layerOf(image))) chunks.push(chunk)
  return digestOf(Buffer.concat(chunks))
}

describe('a download over a broken wire', () => {
  let bench: Bench
  let server: RegistryServer
  const image = largeImage(6_000_000)
  before(async () => {
    bench = await newBench()
    server = await startRegistry(bench.at('registry'))
    await push(bench, image, `docker://${server.host}/web:1`)
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  it('goes on from the byte it has', async () => {
    await using wire = await startWire(server.host, (n) => (n === 1 ? { down: 3_500_000 } : undefined))
    await server.settled()
    const before = server.requests().length
    assert.equal(await download(bench, image, `docker://${wire.host}/web:1`), layerOf(image).digest)
    await server.settled()
    const asked = server.requests().slice(before)
    assert.equal(asked.filter((line) => line.includes('/blobs/') && line.endsWith('206')).length, 1)
    assert.ok(wire.received < 6_500_000, `${wire.received} bytes came`)
  })

  it('comes whole when every connection is cut somewhere', async () => {
    const cuts = [300, 900_000, 50_000, 0, 1_200_000, 400_000]
    await using wire = await startWire(server.host, (n) => ({ down: 1000 + (cuts[n % cuts.length] as number) }))
    assert.equal(await download(bench, image, `docker://${wire.host}/web:1`), layerOf(image).digest)
  })

  it('ends when next to nothing comes through', async () => {
    await using wire = await startWire(server.host, (n) => (n < 1 ? undefined : { down: 2000 }))
    await assert.rejects(
      download(bench, image, `docker://${wire.host}/web:1`),
      failsWith('NETWORK', 'it cut the connection'),
    )
    assert.ok(wire.connections < 12, `${wire.connections} connections`)
  })

  it('ends when nothing comes any more', async () => {
    await using registry = await startOwnRegistry({
      instead(request, response) {
        if (!request.url?.includes('/blobs/')) return false
        response.writeHead(200, { 'content-length': layerOf(image).size }).write(Buffer.alloc(100_000))
        return true
      },
    })
    registry.hold(image, '1')
    const quick = { ...options, patience: { delay: 5, stall: 100, attempts: 3 } }
    await using source = await openSource(bench.store, `docker://${registry.host}/web:1`, quick)
    const read = async () => {
      for await (const _ of await source.blob(layerOf(image)));
    }
    await assert.rejects(read(), failsWith('NETWORK', 'nothing came for 0.1 seconds'))
  })

  it('starts again at a server that knows no ranges', async () => {
    let count = 0
    await using registry = await startOwnRegistry({
      instead(request, response) {
        delete request.headers.range
        if (!request.url?.includes('/blobs/') || count++ > 0) return false
        response.writeHead(200, { 'content-length': layerOf(image).size })
        response.write(image.blobs.get(layerOf(image).digest)?.subarray(0, 1_000_000), () => response.destroy())
        return true
      },
    })
    registry.hold(image, '1')
    assert.equal(await download(bench, image, `docker://${registry.host}/web:1`), layerOf(image).digest)
    assert.equal(count, 2)
  })
})

describe('an upload over a broken wire', () => {
  let bench: Bench
  before(async () => {
    bench = await newBench()
  })
  after(() => bench[Symbol.asyncDispose]())

  /** Sends a blob that is made while it is sent. */
  async function pushStream(bytes: Buffer, host: string): Promise<Digest> {
    await using sink = await openSink(bench.store, `docker://${host}/web:1`, options)
    const stream = async function* () {
      for (let at = 0; at < bytes.length; at += 500_000) yield bytes.subarray(at, at + 500_000)
    }
    const sent = await sink.putStream?.(stream())
    return sent?.digest as Digest
  }

  it('goes on from where the registry stands', async () => {
    const image = largeImage(20_000_000)
    await using registry = await startOwnRegistry()
    await using wire = await startWire(registry.host, (n) => (n === 1 ? { up: 13_000_000 } : undefined))
    await push(bench, image, `docker://${wire.host}/web:1`)
    assert.equal(digestOf(registry.blobs.get(layerOf(image).digest) as Buffer), layerOf(image).digest)
    assert.ok(wire.sent < 24_000_000, `${wire.sent} bytes went`)
    assert.ok(registry.requests.some(({ line }) => line.startsWith('GET /v2/x/uploads/')))
    assert.equal(wire.connections, 3)
  })

  it('begins anew at a registry that forgets a broken upload, as Debian’s does', async () => {
    const image = largeImage(20_000_000)
    await using server = await startRegistry(bench.at('forgets'))
    await using wire = await startWire(server.host, (n) => (n === 1 ? { up: 13_000_000 } : undefined))
    await push(bench, image, `docker://${wire.host}/web:1`)
    assert.equal(await download(bench, image, `docker://${server.host}/web:1`), layerOf(image).digest)
  })

  it('is not sent again when only the last answer was lost', async () => {
    const image = largeImage(1_000_000)
    let isLost = false
    await using registry = await startOwnRegistry({
      async instead(request, response, url) {
        if (request.method !== 'PUT' || !url.pathname.includes('/uploads/') || isLost) return false
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk)
        const bytes = Buffer.concat(chunks)
        if (bytes.length < 500_000) {
          Object.assign(request, { [Symbol.asyncIterator]: () => chunks.values() })
          return false
        }
        isLost = true
        registry.blobs.set(digestOf(bytes), bytes)
        response.destroy()
        return true
      },
    })
    await push(bench, image, `docker://${registry.host}/web:1`)
    assert.ok(isLost)
    const puts = registry.requests.filter(({ line }) => line.startsWith('PUT /v2/x/uploads/'))
    assert.equal(puts.length, 2)
  })

  it('is of chunks as large as the registry wants them', async () => {
    const sizes: number[] = []
    await using registry = await startOwnRegistry({
      leastChunk: 20_000_000,
      instead(request) {
        if (request.method === 'PATCH') sizes.push(Number(request.headers['content-length']))
        return false
      },
    })
    await pushStream(randomBytes(50_000_000), registry.host)
    assert.deepEqual(sizes, [20_000_000, 20_000_000, 10_000_000])
  })

  it('goes on from where the registry stands, also when the blob is made only once', async () => {
    const bytes = randomBytes(40_000_000)
    await using registry = await startOwnRegistry()
    await using wire = await startWire(registry.host, (n) => (n === 1 ? { up: 22_000_000 } : undefined))
    const digest = await pushStream(bytes, wire.host)
    assert.equal(digestOf(registry.blobs.get(digest) as Buffer), digestOf(bytes))
    assert.ok(wire.sent < 46_000_000, `${wire.sent} bytes went`)
  })

  it('fails clearly when the registry forgets what cannot be made again', async () => {
    await using server = await startRegistry(bench.at('forgets-too'))
    await using wire = await startWire(server.host, (n) => (n === 1 ? { up: 22_000_000 } : undefined))
    await assert.rejects(
      pushStream(randomBytes(40_000_000), wire.host),
      failsWith('NETWORK', 'the registry has forgotten what was sent so far: try again'),
    )
  })

  it('is cancelled when the image turns out to be another', async () => {
    await using registry = await startOwnRegistry()
    const image = largeImage(20_000_000)
    image.blobs.set(layerOf(image).digest, randomBytes(20_000_000))
    await assert.rejects(push(bench, image, `docker://${registry.host}/web:1`), failsWith('DIGEST', 'has the digest'))
    const lines = registry.requests.map(({ line }) => line)
    assert.ok(lines.some((line) => line.startsWith('DELETE /v2/x/uploads/')))
    assert.ok(!lines.some((line) => line.includes('/manifests/')))
  })
})

describe('a registry in trouble', () => {
  let bench: Bench
  const image = sampleImage()
  before(async () => {
    bench = await newBench()
  })
  after(() => bench[Symbol.asyncDispose]())

  for (const status of [429, 500, 502, 503, 504])
    it(`is asked again after ${status}, when it says`, async () => {
      const times: number[] = []
      await using registry = await startOwnRegistry({
        instead(_, response, url) {
          if (!url.pathname.includes('/manifests/')) return false
          times.push(performance.now())
          return times.length === 1 && fail(response, status, 'TOOMANYREQUESTS', { 'retry-after': '1' })
        },
      })
      registry.hold(image, '1')
      await using source = await openSource(bench.store, `docker://${registry.host}/web:1`, options)
      assert.equal((await source.top()).digest, image.top.digest)
      assert.ok((times[1] as number) - (times[0] as number) >= 990)
    })

  it('is not waited for longer than is fair', async () => {
    await using registry = await startOwnRegistry({
      instead: (_, response, url) =>
        url.pathname.includes('/manifests/') && fail(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '3600' }),
    })
    await assert.rejects(
      openSource(bench.store, `docker://${registry.host}/web:1`, options),
      failsWith('NETWORK', 'too many requests (429: TOOMANYREQUESTS: toomanyrequests); the registry asks to wait 3600'),
    )
  })

  it('is given up after five attempts', async () => {
    await using registry = await startOwnRegistry({
      instead: (_, response, url) => url.pathname.includes('/manifests/') && fail(response, 503, 'UNAVAILABLE'),
    })
    await assert.rejects(
      openSource(bench.store, `docker://${registry.host}/web:1`, options),
      failsWith('NETWORK', 'it is in trouble (503: UNAVAILABLE: unavailable); try again later'),
    )
    assert.equal(registry.requests.filter(({ line }) => line.includes('/manifests/')).length, 5)
  })

  it('that is down is told as such', async () => {
    const gone = await startOwnRegistry()
    await gone[Symbol.asyncDispose]()
    await assert.rejects(
      openSource(bench.store, `docker://${gone.host}/web:1`, options),
      failsWith('NETWORK', `${gone.host}: it refuses the connection; check the name, the port and the network`),
    )
  })

  it('that does not exist is told as such', async () => {
    await assert.rejects(
      openSource(bench.store, 'docker://registry.invalid/web:1', options),
      failsWith('NETWORK', 'registry.invalid: '),
    )
  })

  it('that never answers is given up', async () => {
    await using registry = await startOwnRegistry({ instead: () => true })
    const quick = { ...options, patience: { delay: 5, stall: 100, attempts: 2 } }
    await assert.rejects(
      openSource(bench.store, `docker://${registry.host}/web:1`, quick),
      failsWith('NETWORK', 'nothing came for 0.1 seconds'),
    )
  })

  it('is left at once on Ctrl-C', async () => {
    await using registry = await startOwnRegistry({ instead: (_, __, url) => url.pathname.includes('/manifests/') })
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 100)
    const began = performance.now()
    await assert.rejects(
      openSource(bench.store, `docker://${registry.host}/web:1`, { ...options, signal: stop.signal }),
      failsWith('ABORTED'),
    )
    assert.ok(performance.now() - began < 400)
  })
})
