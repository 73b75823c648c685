import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { openSink, openSource } from '../../sdk/transport/transport.js'
import { lane } from '../lane.js'
import { type Engine, startEngine, startPodman } from './engine.js'
import { richImage } from './rich.js'
import { type Bench, copy, failsWith, newBench, put, resealed, sampleImage, tarOf, write } from './sample.js'

if (lane() === 'root')
  describe('docker-daemon: with an engine', () => {
    let engine: Engine
    before(async () => {
      engine = await startEngine()
    })
    after(() => engine[Symbol.asyncDispose]())

    it('an image is read by name, without a tag, by ID, and by a part of it', async () => {
      await using bench = await benchAt(engine.host)
      const image = sampleImage({ files: ['by name'] })
      await put(bench, image, 'docker-daemon:found')
      const id = image.config.digest
      for (const text of ['found', 'found:latest', 'docker.io/library/found', id, `@${id}`, `@${id.slice(7, 20)}`]) {
        await using source = await openSource(bench.store, `docker-daemon:${text}`)
        const { config } = JSON.parse(Buffer.from((await source.top()).bytes).toString())
        assert.equal(config.digest, id, text)
      }
    })

    it('comes into the store with its name, and goes out again as the same image', async () => {
      await using bench = await benchAt(engine.host)
      const image = sampleImage({ files: ['through the store'], compression: 'zstd' })
      await put(bench, image, 'docker-daemon:start:1')
      await copy(bench, 'docker-daemon:start:1', 'localhost/got')
      await copy(bench, 'localhost/got', 'docker-daemon:again:1')
      await using source = await openSource(bench.store, 'docker-daemon:again:1')
      assert.equal(source.suggestedName, 'again:1')
    })

    it('a layer that is not the one the configuration names is refused by the engine', async () => {
      await using bench = await benchAt(engine.host)
      const image = sampleImage({ files: ['claimed'] })
      const other = sampleImage({ files: ['delivered'] })
      const swapped = { ...image, blobs: new Map([...image.blobs, ...other.blobs]) }
      const lying = resealed(swapped, image.config, other.layers)
      await assert.rejects(put(bench, lying, 'docker-daemon:lying'), failsWith('DIGEST', 'invalid diffID'))
      await assert.rejects(openSource(bench.store, 'docker-daemon:lying'), failsWith('NOT_FOUND', 'No such image'))
    })
  })
else
  describe('docker-daemon: without an engine, for it needs root: the root lane starts one', () => {
    it('says that none answers', async () => {
      await using bench = await newBench()
      process.env.DOCKER_HOST = `unix://${bench.at('none')}`
      await assert.rejects(
        put(bench, sampleImage(), 'docker-daemon:web'),
        failsWith('UNSUPPORTED', 'no container engine'),
      )
    })
  })

describe("docker-daemon: with podman's service, which a plain user may start too", () => {
  for (const compression of ['none', 'gzip', 'zstd'] as const)
    it(`an image with layers ${compression} goes in and comes out`, async () => {
      await using bench = await newBench()
      await using podman = await startPodman(bench)
      process.env.DOCKER_HOST = podman.host
      const image = richImage(bench, compression)
      await put(bench, image, 'docker-daemon:localhost/web:1')
      await copy(bench, 'docker-daemon:localhost/web:1', `oci:${bench.at('out')}`)
      await using source = await openSource(bench.store, `oci:${bench.at('out')}`)
      const manifest = JSON.parse(Buffer.from((await source.top()).bytes).toString())
      assert.equal(manifest.config.digest, image.config.digest)
      const layers = manifest.layers.map(({ digest }: { digest: string }) => digest)
      assert.deepEqual(layers, image.diffIDs)
    })

  it('a name that it does not have is NOT_FOUND', async () => {
    await using bench = await newBench()
    await using podman = await startPodman(bench)
    process.env.DOCKER_HOST = podman.host
    await assert.rejects(openSource(bench.store, 'docker-daemon:none'), failsWith('NOT_FOUND', 'the engine says'))
  })
})

describe('docker-daemon: what answers', () => {
  const rows: readonly (readonly [string, RequestListener, Parameters<typeof failsWith>[0], string])[] = [
    [
      'an error',
      (_, answer) => answer.writeHead(500).end('{"message":"on fire"}'),
      'INVALID',
      'the engine says: on fire',
    ],
    ['an error without words', (_, answer) => answer.writeHead(500).end(), 'INVALID', 'the engine says: nothing'],
    ['something else than an engine', (_, answer) => answer.end('<html>'), 'INVALID', 'not valid JSON'],
    ['another JSON', (_, answer) => answer.end('{}'), 'INVALID', 'not a container engine'],
    ['nobody: it hangs up', ({ socket }) => socket.destroy(), 'SYSTEM', 'the engine broke the connection'],
    [
      'an archive that is cut off',
      ({ url }, answer) => void (url?.endsWith('json') ? answer.end('{"Id":"1"}') : answer.end('short')),
      'INVALID',
      'truncated',
    ],
    [
      'an engine that goes away',
      ({ url, socket }, answer) => {
        if (url?.endsWith('json')) return void answer.end('{"Id":"1"}')
        answer.write('something', () => socket.destroy())
      },
      'SYSTEM',
      'the engine broke the connection',
    ],
  ]
  for (const [title, listener, code, text] of rows)
    it(`${title}: an image is not read`, async () => {
      await using bench = await newBench()
      await using _ = await listen(bench, listener)
      await assert.rejects(openSource(bench.store, 'docker-daemon:web'), failsWith(code, text))
    })

  it('an engine that goes away in the middle of a load is an error', async () => {
    await using bench = await newBench()
    await using _ = await listen(bench, ({ socket }) => void setTimeout(() => socket.destroy(), 50))
    const image = sampleImage({ tars: [tarOf({ large: Buffer.alloc(1 << 24) })] })
    await assert.rejects(put(bench, image, 'docker-daemon:web'), failsWith('SYSTEM', 'broke the connection'))
  })

  it('an error in the middle of a load is an error', async () => {
    await using bench = await newBench()
    await using _ = await listen(bench, (asked, answer) => {
      asked.resume().on('end', () => answer.end('{"stream":"Loaded"}\n{"error":"no space left on device"}\n'))
    })
    await assert.rejects(
      put(bench, sampleImage(), 'docker-daemon:web'),
      failsWith('INVALID', 'no space left on device'),
    )
  })
})

describe('docker-daemon: what is wrong', () => {
  for (const [text, reason] of [
    ['', 'it has no name'],
    ['@abc', 'not an image ID'],
    ['@xyz', 'not an image ID'],
    ['Web', 'is not a name for an image'],
    [`web@sha256:${'0'.repeat(64)}`, 'no digest'],
  ] as const)
    it(`"${text}" to read`, async () => {
      await using bench = await newBench()
      await assert.rejects(openSource(bench.store, `docker-daemon:${text}`), failsWith('USAGE', reason))
    })

  for (const text of ['', '@abcdef', `sha256:${'0'.repeat(64)}`])
    it(`"${text}" to write`, async () => {
      await using bench = await newBench()
      await assert.rejects(openSink(bench.store, `docker-daemon:${text}`), failsWith('USAGE', 'it has no name'))
    })

  for (const [at, reason] of [
    ['tcp://user:secret@127.0.0.1:2375', 'DOCKER_HOST is tcp://127.0.0.1:2375'],
    ['ssh://host', 'over its unix socket only'],
  ] as const)
    it(`an engine at ${at.slice(0, 6)}`, async () => {
      await using bench = await benchAt(at)
      await assert.rejects(openSource(bench.store, 'docker-daemon:web'), failsWith('UNSUPPORTED', reason))
    })

  it('a socket that nobody listens at', async () => {
    await using bench = await newBench()
    process.env.DOCKER_HOST = `unix://${write(bench.at('file'), '')}`
    await assert.rejects(openSource(bench.store, 'docker-daemon:web'), failsWith('UNSUPPORTED', 'package docker.io'))
  })
})

async function benchAt(dockerHost: string): Promise<Bench> {
  process.env.DOCKER_HOST = dockerHost
  return newBench()
}

/** A server at a socket in the bench, in the place of an engine. */
async function listen(bench: Bench, listener: RequestListener): Promise<AsyncDisposable> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(bench.at('socket'), resolve))
  process.env.DOCKER_HOST = `unix://${bench.at('socket')}`
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
