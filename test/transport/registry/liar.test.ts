import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { after, before, describe, it } from 'node:test'
import { copyImage, openSink, openSource } from '../../../sdk/transport/transport.js'
import { type Bench, failsWith, newBench, sampleSource, storeContent } from '../sample.js'
import { makeAuthority } from './certificate.js'
import { image, lies } from './lies.js'
import { type OwnRegistry, startOwnRegistry } from './own-registry.js'

const options = {
  registry: { tlsVerify: false, creds: 'someone:a-secret' },
  patience: { delay: 5, stall: 1000, attempts: 3 },
}

let bench: Bench
before(async () => {
  bench = await newBench()
})
after(() => bench[Symbol.asyncDispose]())

async function pull(registry: OwnRegistry, reference = ':1', { store } = bench) {
  await using source = await openSource(store, `docker://${registry.host}/web${reference}`, options)
  await using sink = await openSink(store, 'got')
  await copyImage(source, sink)
}

describe('a registry that gives', () => {
  for (const { title, image: held = image, instead, code, text, reference } of lies)
    it(`${title} is refused, and nothing stays`, async () => {
      await using registry = await startOwnRegistry(instead ? { instead } : {})
      registry.hold(held, '1')
      const began = [performance.now(), process.memoryUsage().rss] as const
      await assert.rejects(pull(registry, reference), (error: Error) => {
        assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes('a-secret'))
        return failsWith(code, text)(error)
      })
      assert.ok(performance.now() - began[0] < 10_000)
      assert.ok(process.memoryUsage().rss - began[1] < 200 << 20)
      assert.deepEqual(storeContent(bench), [])
    })
})

describe('credentials', () => {
  /** A registry that wants a password and sends its blobs' readers to another host. */
  async function redirecting(other: string, status: number) {
    return startOwnRegistry({
      instead(request, response, url) {
        if (request.headers.authorization === undefined) {
          response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
          return true
        }
        const away = request.method === 'PATCH' || request.method === 'PUT' || url.pathname.includes('/blobs/sha256')
        if (away) response.writeHead(status, { location: `http://${other}${request.url}` }).end()
        return away
      },
    })
  }

  for (const status of [301, 302, 303, 307, 308])
    it(`do not follow a redirect of ${status} to another host`, async () => {
      await using other = await startOwnRegistry()
      await using registry = await redirecting(other.host, status)
      for (const one of [other, registry]) one.hold(image, '1')
      await using own = await newBench()
      await pull(registry, ':1', own)
      assert.ok(other.requests.length >= 3)
      assert.deepEqual(
        other.requests.filter(({ authorization }) => authorization !== undefined),
        [],
      )
      const isOurs = (it: { authorization: string | undefined }) => it.authorization?.startsWith('Basic ')
      assert.ok(registry.requests.some(isOurs))
    })

  it('do not go to another host that an upload is sent to', async () => {
    await using other = await startOwnRegistry()
    await using registry = await startOwnRegistry({
      instead(request, response) {
        if (request.headers.authorization === undefined) {
          response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
          return true
        }
        if (request.method !== 'POST') return false
        response.writeHead(202, { location: `http://${other.host}/v2/web/blobs/uploads/1` }).end()
        return true
      },
    })
    const push = async () => {
      await using sink = await openSink(bench.store, `docker://${registry.host}/web:1`, options)
      await copyImage(sampleSource(image), sink)
    }
    await assert.rejects(push(), failsWith(['NOT_FOUND', 'INVALID', 'NETWORK']))
    assert.ok(other.requests.length > 0)
    assert.deepEqual(
      other.requests.filter(({ authorization }) => authorization !== undefined),
      [],
    )
  })

  it('do not go to a token server without TLS, when the registry has it', async () => {
    const authority = makeAuthority(bench.at('authority'))

    const pem = { cert: readFileSync(authority.server.certificate), key: readFileSync(authority.server.key) }
    await using other = await startOwnRegistry()
    const challenge = { 'www-authenticate': `Bearer realm="http://${other.host}/token",service="x"` }
    const server = createServer(pem, (_, response) => response.writeHead(401, challenge).end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const registry = { certDir: authority.folder, creds: 'someone:a-secret' }
    await assert.rejects(
      openSource(bench.store, `docker://127.0.0.1:${port}/web:1`, { ...options, registry }),
      failsWith('INVALID', 'without TLS'),
    )
    assert.deepEqual(other.requests, [])
    server.closeAllConnections()
    server.close()
  })

  it('that a token server sends back are not told', async () => {
    await using registry = await startOwnRegistry({
      instead(request, response, url) {
        const { authorization = '', host } = request.headers
        const password = Buffer.from(authorization.slice(6), 'base64').toString()
        const errors = [{ code: 'DENIED', message: `no ${authorization} ${password}` }]
        if (url.pathname === '/token') response.writeHead(403).end(JSON.stringify({ errors }))
        else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token"` }).end()
        return true
      },
    })
    await assert.rejects(pull(registry), failsWith('DENIED', '(403: DENIED: no Basic *** someone:***)'))
  })

  it('that a registry sends back are not told', async () => {
    await using registry = await startOwnRegistry({
      instead(request, response) {
        const { authorization } = request.headers
        if (authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
        else {
          const password = Buffer.from(authorization.slice(6), 'base64').toString()
          const errors = [{ code: 'DENIED', message: `no ${authorization} ${password}` }]
          response.writeHead(403).end(JSON.stringify({ errors }))
        }
        return true
      },
    })
    await assert.rejects(pull(registry), failsWith('DENIED', '(403: DENIED: no Basic *** someone:***)'))
  })
})
