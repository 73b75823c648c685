import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { copyImage, openSink, openSource } from '../../../sdk/transport/transport.js'
import { type Bench, failsWith, newBench, sampleImage, sampleSource, write } from '../sample.js'
import { type OwnRegistry, startOwnRegistry } from './own-registry.js'

describe('an image with mirrors', () => {
  let bench: Bench
  let primary: OwnRegistry
  let mirror: OwnRegistry
  const image = sampleImage()
  before(async () => {
    bench = await newBench()
  })
  after(() => bench[Symbol.asyncDispose]())
  afterEach(async () => {
    for (const registry of [primary, mirror]) await registry[Symbol.asyncDispose]()
  })

  /** registries.conf with `docker.test/web` at one registry and its mirror at another, which want a password. */
  async function options(held: { readonly mirror: boolean; readonly primary: boolean }) {
    const start = async (isHeld: boolean) => {
      const registry = await startOwnRegistry({
        instead(request, response) {
          if (request.headers.authorization !== undefined) return false
          response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
          return true
        },
      })
      if (isHeld) registry.hold(image, '1')
      return registry
    }
    ;[mirror, primary] = [await start(held.mirror), await start(held.primary)]
    const conf = [
      '[[registry]]',
      'prefix = "docker.test"',
      `location = "${primary.host}"`,
      'insecure = true',
      '[[registry.mirror]]',
      `location = "${mirror.host}"`,
      'insecure = true',
    ]
    const registriesConf = write(bench.at('registries.conf'), conf.join('\n'))
    const authOf = (user: string) => ({ auth: Buffer.from(`${user}:secret`).toString('base64') })
    const auths = { [primary.host]: authOf('primary'), [mirror.host]: authOf('mirror') }
    const authfile = write(bench.at('auth.json'), JSON.stringify({ auths }))
    return {
      registry: { registriesConf, authfile, registriesConfDir: bench.at('none') },
      patience: { delay: 5, attempts: 2 },
    }
  }

  const users = ({ requests }: OwnRegistry) =>
    new Set(requests.map(({ authorization = '' }) => Buffer.from(authorization.slice(6), 'base64').toString()))

  it('comes from the mirror, with the mirror’s login', async () => {
    const opened = await options({ mirror: true, primary: true })
    await using source = await openSource(bench.store, 'docker://docker.test/web:1', opened)
    for await (const _ of await source.blob(image.config));
    assert.deepEqual(primary.requests, [])
    assert.deepEqual([...users(mirror)].sort(), ['', 'mirror:secret'])
  })

  it('comes from the registry when the mirror does not have it, each with its own login', async () => {
    const opened = await options({ mirror: false, primary: true })
    await using source = await openSource(bench.store, 'docker://docker.test/web:1', opened)
    assert.equal((await source.top()).digest, image.top.digest)
    assert.deepEqual([...users(mirror)].sort(), ['', 'mirror:secret'])
    assert.deepEqual([...users(primary)].sort(), ['', 'primary:secret'])
  })

  it('comes from the registry when the mirror is down', async () => {
    const opened = await options({ mirror: true, primary: true })
    await mirror[Symbol.asyncDispose]()
    await using source = await openSource(bench.store, 'docker://docker.test/web:1', opened)
    assert.equal((await source.top()).digest, image.top.digest)
  })

  it('tells what each of them said when none has it', async () => {
    const opened = await options({ mirror: false, primary: false })
    await assert.rejects(
      openSource(bench.store, 'docker://docker.test/web:1', opened),
      (error: Error) =>
        failsWith('NOT_FOUND', `${primary.host}: it has no such thing (404`)(error) &&
        failsWith('NOT_FOUND', `mirror ${mirror.host}: ${mirror.host}: it has no such thing`)(error),
    )
  })

  it('is not pulled from a mirror with --creds, which are the registry’s', async () => {
    const opened = await options({ mirror: false, primary: true })
    const registry = { ...opened.registry, creds: 'someone:other' }
    await using source = await openSource(bench.store, 'docker://docker.test/web:1', { ...opened, registry })
    assert.equal((await source.top()).digest, image.top.digest)
    assert.ok(!users(mirror).has('someone:other'))
    assert.ok(users(primary).has('someone:other'))
  })
})

describe('stopped', () => {
  it('a download ends at once', async () => {
    await using bench = await newBench()
    const stop = new AbortController()
    const options = { registry: { tlsVerify: false }, signal: stop.signal }
    await using registry = await startOwnRegistry({
      instead(_, response, url) {
        if (!url.pathname.includes('/blobs/sha256') || !registry.blobs.size) return false
        response.writeHead(200, { 'content-length': 999_999 }).write('a')
        return true
      },
    })
    const image = sampleImage()
    registry.hold(image, '1')
    await using source = await openSource(bench.store, `docker://${registry.host}/web:1`, options)
    const bytes = await source.blob({ ...image.config, size: 999_999 })
    const began = performance.now()
    setTimeout(() => stop.abort(), 50)
    const read = async () => {
      for await (const _ of bytes);
    }
    await assert.rejects(read(), failsWith('ABORTED', 'stopped before it was done'))
    assert.ok(performance.now() - began < 500)
  })

  it('an upload is cancelled at the registry', async () => {
    await using bench = await newBench()
    const stop = new AbortController()
    await using registry = await startOwnRegistry()
    const text = `docker://${registry.host}/web:1`
    const push = async () => {
      await using sink = await openSink(bench.store, text, { registry: { tlsVerify: false }, signal: stop.signal })
      const slow = async () => {
        stop.abort()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await copyImage(sampleSource(sampleImage(), slow), sink, { signal: stop.signal })
    }
    await assert.rejects(push(), failsWith('ABORTED'))
    assert.ok(!registry.requests.some(({ line }) => line.startsWith('PUT')))
  })
})
