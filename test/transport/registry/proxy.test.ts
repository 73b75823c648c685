import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, describe, it, type TestContext } from 'node:test'
import { proxyFor } from '../../../sdk/transport/registry/proxy.js'
import { copyImage, openSink, openSource } from '../../../sdk/transport/transport.js'
import { type Bench, failsWith, newBench, sampleImage, sampleSource } from '../sample.js'
import { type Authority, makeAuthority } from './certificate.js'
import { startRegistry } from './server.js'

describe('proxyFor', () => {
  const env = {
    HTTPS_PROXY: 'http://p:1',
    http_proxy: 'q:2',
    NO_PROXY: 'a.example, .b.example:8443,10.0.0.0/8,192.0.2.7',
  }
  for (const [address, proxy] of [
    ['https://registry.example/v2/', 'http://p:1/'],
    ['http://registry.example/v2/', 'http://q:2/'],
    ['https://a.example/', undefined],
    ['https://sub.a.example/', undefined],
    ['https://nota.example/', 'http://p:1/'],
    ['https://sub.b.example:8443/', undefined],
    ['https://sub.b.example/', 'http://p:1/'],
    ['https://10.1.2.3/', undefined],
    ['https://11.1.2.3/', 'http://p:1/'],
    ['https://192.0.2.7:5000/', undefined],
    ['https://localhost:5000/', undefined],
    ['http://127.0.0.1:5000/', undefined],
    ['https://[::1]:5000/', undefined],
  ] as const)
    it(`${address} goes ${proxy === undefined ? 'straight' : `through ${proxy}`}`, () =>
      assert.equal(proxyFor(new URL(address), env)?.href, proxy))

  it('is none when all are exempt, or nothing is said', () => {
    assert.equal(proxyFor(new URL('https://registry.example/'), { ...env, NO_PROXY: '*' }), undefined)
    assert.equal(proxyFor(new URL('https://registry.example/'), {}), undefined)
  })
})

describe('a registry behind a proxy', () => {
  let bench: Bench
  let authority: Authority
  before(async () => {
    bench = await newBench()
    authority = makeAuthority(bench.at('authority'))
  })
  after(() => bench[Symbol.asyncDispose]())

  /** A proxy that finds every host on this machine; and the environment that names it, for the time of the test. */
  async function startProxy(t: TestContext) {
    const asked: string[] = []
    const server = createServer((asking, answering) => {
      const url = new URL(asking.url ?? '')
      asked.push(`${asking.method} ${url.host} ${asking.headers['proxy-authorization'] ?? ''}`)
      const { method, headers } = asking
      const on = request({ host: '127.0.0.1', port: url.port, path: url.pathname + url.search, method, headers })
      on.on('response', (got) => got.pipe(answering.writeHead(got.statusCode ?? 0, got.headers)))
      asking.pipe(on)
    })
    server.on('connect', (asking, near) => {
      asked.push(`CONNECT ${asking.url} ${asking.headers['proxy-authorization'] ?? ''}`)
      if (asking.url?.startsWith('refused')) return near.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      const far = connect(Number(asking.url?.split(':')[1]), '127.0.0.1', () => near.write('HTTP/1.1 200 OK\r\n\r\n'))
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const)
        from.on('error', () => {}).pipe(to)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://me:a-secret@127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) process.env[name] = url
    t.after(() => {
      for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) delete process.env[name]
      server.closeAllConnections()
      server.close()
    })
    return asked
  }

  const me = `Basic ${Buffer.from('me:a-secret').toString('base64')}`

  for (const isSecure of [true, false])
    it(`is reached ${isSecure ? 'with TLS' : 'in plain HTTP'}`, async (t) => {
      const asked = await startProxy(t)
      await using server = await startRegistry(bench.at(`${isSecure}`), isSecure ? { tls: authority.server } : {})
      const text = `docker://registry.example:${server.host.split(':')[1]}/web:1`
      const registry = isSecure ? { certDir: authority.folder } : { tlsVerify: false }
      const image = sampleImage()
      {
        await using sink = await openSink(bench.store, text, { registry })
        await copyImage(sampleSource(image), sink)
      }
      await using source = await openSource(bench.store, text, { registry })
      assert.equal((await source.top()).digest, image.top.digest)
      assert.ok(asked.length > 0)
      assert.ok(asked.every((line) => line.includes('registry.example') && line.endsWith(me)))
    })

  it('is told as such when the proxy does not lead there, without the proxy’s password', async (t) => {
    await startProxy(t)
    await assert.rejects(openSource(bench.store, 'docker://refused.example/web:1'), (error: Error) => {
      assert.ok(!`${error.stack}`.includes('a-secret'))
      return failsWith(
        'NETWORK',
        'answers 403 when asked for refused.example:443; check HTTPS_PROXY and NO_PROXY',
      )(error)
    })
  })
})
