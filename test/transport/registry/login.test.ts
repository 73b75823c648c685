import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { copyImage, type OpenOptions, openSink, openSource } from '../../../sdk/transport/transport.js'
import { type Bench, failsWith, newBench, sampleImage, sampleSource } from '../sample.js'
import { type Authority, makeAuthority } from './certificate.js'
import { type RegistryServer, startRegistry } from './server.js'
import { startTokenServer, type TokenServer } from './token-server.js'

const [user, password] = ['someone', `secret-${randomUUID()}`]

let bench: Bench
let authority: Authority
before(async () => {
  bench = await newBench()
  authority = makeAuthority(bench.at('authority'))
})
after(() => bench[Symbol.asyncDispose]())

/** Pushes an image and pulls it again. */
async function thereAndBack(server: RegistryServer, options: OpenOptions) {
  const image = sampleImage()
  {
    await using sink = await openSink(bench.store, `docker://${server.host}/web:1`, options)
    await copyImage(sampleSource(image), sink)
  }
  await using source = await openSource(bench.store, `docker://${server.host}/web:1`, options)
  assert.equal((await source.top()).digest, image.top.digest)
  for (const layer of image.layers) for await (const _ of await source.blob(layer));
}

const opened = (server: RegistryServer, registry: OpenOptions['registry']) =>
  openSource(bench.store, `docker://${server.host}/web:1`, { registry, patience: { delay: 10 } })

describe('a registry with TLS and an authority of its own', () => {
  let server: RegistryServer
  before(async () => {
    server = await startRegistry(bench.at('tls'), { tls: authority.server })
  })
  after(() => server[Symbol.asyncDispose]())

  it('is trusted with --cert-dir', () => thereAndBack(server, { registry: { certDir: authority.folder } }))
  it('is used unchecked with --tls-verify=false', () => thereAndBack(server, { registry: { tlsVerify: false } }))
  it('is refused otherwise, with what to do', () =>
    assert.rejects(opened(server, {}), failsWith('NETWORK', 'its certificate is not trusted')))
})

describe('a registry that wants a client certificate', () => {
  let server: RegistryServer
  before(async () => {
    server = await startRegistry(bench.at('mutual'), {
      tls: { ...authority.server, clientAuthority: authority.certificate },
    })
  })
  after(() => server[Symbol.asyncDispose]())

  it('gets the one of --cert-dir', () => thereAndBack(server, { registry: { certDir: authority.clientFolder } }))
  it('refuses who has none', () =>
    assert.rejects(opened(server, { certDir: authority.folder }), failsWith('NETWORK', 'certificate')))
})

describe('a registry with TLS asked for in plain HTTP, and the other way round', () => {
  it('says that it is plain', async () => {
    await using server = await startRegistry(bench.at('plain'))
    await assert.rejects(
      opened(server, {}),
      failsWith('NETWORK', 'it speaks plain HTTP, not TLS; allow that with --tls'),
    )
  })
})

describe('a registry with a password', () => {
  let server: RegistryServer
  const login = { tlsVerify: false, creds: `${user}:${password}` }
  before(async () => {
    server = await startRegistry(bench.at('basic'), { login: { user, password } })
  })
  after(() => server[Symbol.asyncDispose]())

  it('takes --creds', () => thereAndBack(server, { registry: login }))

  it('takes the login of an authfile', async () => {
    const auth = Buffer.from(`${user}:${password}`).toString('base64')
    writeFileSync(bench.at('auth.json'), JSON.stringify({ auths: { [server.host]: { auth } } }))
    await thereAndBack(server, { registry: { tlsVerify: false, authfile: bench.at('auth.json') } })
  })

  it('refuses a wrong password, and no message holds it', async () => {
    const wrong = `${password}-wrong`
    await assert.rejects(opened(server, { ...login, creds: `${user}:${wrong}` }), (error: Error) => {
      assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes(wrong))
      return failsWith('DENIED', 'it wants a login (401: UNAUTHORIZED: authentication required); log in with')(error)
    })
  })

  it('refuses who has no password', () =>
    assert.rejects(opened(server, { tlsVerify: false }), failsWith('DENIED', 'it wants a login')))
})

describe('a registry with a token server', () => {
  let server: RegistryServer
  let tokens: TokenServer
  const identityToken = randomUUID()
  const login = () => ({ certDir: authority.folder, creds: `${user}:${password}` })
  before(async () => {
    const { certificate, key } = authority.server
    tokens = await startTokenServer({ certificate, key, tls: true, user, password, identityToken })
    const { realm, issuer } = tokens
    server = await startRegistry(bench.at('tokens'), {
      tls: authority.server,
      tokens: { realm, issuer, certificate: authority.certificate },
    })
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await tokens[Symbol.asyncDispose]()
  })

  it('gives a token for user and password, once a scope', async () => {
    const before = tokens.asked.length
    await thereAndBack(server, { registry: login() })
    assert.deepEqual(tokens.asked.slice(before), [
      { method: 'GET', scope: 'repository:web:pull,push', user },
      { method: 'GET', scope: 'repository:web:pull', user },
    ])
  })

  it('gives a token for an identity token', async () => {
    const before = tokens.asked.length
    const entry = {
      auth: Buffer.from('00000000-0000-0000-0000-000000000000:').toString('base64'),
      identitytoken: identityToken,
    }
    writeFileSync(bench.at('identity.json'), JSON.stringify({ auths: { [server.host]: entry } }))
    await thereAndBack(server, { registry: { certDir: authority.folder, authfile: bench.at('identity.json') } })
    assert.deepEqual(
      tokens.asked.slice(before).map(({ method }) => method),
      ['POST', 'POST'],
    )
  })

  it('lets nobody pull what everybody may', async () => {
    await thereAndBack(server, { registry: login() })
    await using source = await opened(server, { certDir: authority.folder })
    assert.match((await source.top()).mediaType, /manifest/)
  })

  it('refuses a push of nobody', async () => {
    const text = `docker://${server.host}/web:2`
    await using sink = await openSink(bench.store, text, { registry: { certDir: authority.folder } })
    await assert.rejects(
      copyImage(sampleSource(sampleImage({ files: ['new'] })), sink),
      failsWith('DENIED', 'it wants a login'),
    )
  })

  it('refuses a wrong password', () =>
    assert.rejects(
      opened(server, { ...login(), creds: `${user}:wrong` }),
      failsWith('DENIED', 'no token from 127.0.0.1'),
    ))
})

describe('a token that ends soon', () => {
  it('is renewed', async () => {
    const { certificate, key } = authority.server
    await using tokens = await startTokenServer({ certificate, key, tls: true, user, password, life: 1 })
    const { realm, issuer } = tokens
    await using server = await startRegistry(bench.at('short'), {
      tls: authority.server,
      tokens: { realm, issuer, certificate: authority.certificate },
    })
    const registry = { certDir: authority.folder, creds: `${user}:${password}` }
    await thereAndBack(server, { registry })
    await using source = await opened(server, registry)
    const before = tokens.asked.length
    await new Promise((resolve) => setTimeout(resolve, 1500))
    for await (const _ of await source.blob(sampleImage().config));
    assert.equal(tokens.asked.length, before + 1)
  })
})
