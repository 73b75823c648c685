import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newDnfScene, unsigned } from './dnf-scene.js'
import { rpmKeys, rpmRepository } from './rpm-repository.js'
import { type Fate, serveRpms } from './rpm-server.js'

const scene = newDnfScene()
const [plain, signed, keys] = await Promise.all([rpmRepository(), rpmRepository('signed'), rpmKeys()])

async function install(repository: readonly string[], ...more: readonly string[]): Promise<string> {
  const c = await scene.from('scratch')
  await scene.ok(['dnf', c, 'install', ...repository, ...more, 'busybox'])
  return scene.ok(['commit', '-q', '--rm', c])
}

test('packages that are signed are installed with their key', async () => {
  const image = await install(['--repo', `test=${signed.url},gpgkey=${keys.signing}`])
  assert.match(image, /^[0-9a-f]{64}$/)
})

const unproven: Readonly<Record<string, readonly [repository: string, ...says: readonly RegExp[]]>> = {
  'packages that nobody signed': [`test=${plain.url},gpgkey=${keys.signing}`, /not signed/, /--nogpgcheck/],
  'packages that another key signed': [`test=${signed.url},gpgkey=${keys.other}`, /key/i, /busybox|filesystem/],
  'a repository without a key': [`test=${signed.url}`, /gpgkey/, /--nogpgcheck/],
  'a key that is not there': [`test=${signed.url},gpgkey=/nope.asc`, /file:\/\/\/nope\.asc cannot be fetched/],
}
for (const [title, [repository, ...says]] of Object.entries(unproven))
  test(`${title}: refused, and the container is as it was`, async () => {
    const c = await scene.from('scratch')
    await scene.leaves(c, ['install', '--repo', repository, 'busybox'], says)
  })

test('over HTTP it is the same image; then it needs no network', async (t) => {
  const server = await serveRpms(plain.folder)
  t.after(() => server[Symbol.asyncDispose]())
  const ofFile = await install(unsigned(plain.url))
  assert.equal(await install(unsigned(server.url)), ofFile)
  const asked = server.requests.length
  assert.equal(await install(unsigned(server.url), '--offline'), ofFile)
  assert.equal(server.requests.length, asked)
})

test('--offline without what it needs in the cache says what', async (t) => {
  const server = await serveRpms(plain.folder)
  t.after(() => server[Symbol.asyncDispose]())
  const c = await scene.from('scratch')
  await scene.leaves(c, ['install', ...unsigned(server.url), '--offline', 'busybox'], [/offline|cache/])
  assert.deepEqual(server.requests, [])
})

// Every row has a package of its own, that is not in the cache yet.
const faults: Readonly<Record<string, readonly [name: string, of: RegExp, fate: Fate, ...says: readonly RegExp[]]>> = {
  'a package that is gone': ['httpd-tools', /httpd-tools.*rpm$/, 'missing', /httpd-tools-1?:?2\.4\.1-1/],
  'metadata that is cut': ['httpd', /primary\.xml/, 'cut', /127\.0\.0\.1/],
  'a server that is not available': ['httpd', /repomd\.xml/, 'unavailable', /503/, /127\.0\.0\.1/],
}
for (const [title, [name, of, fate, ...says]] of Object.entries(faults))
  test(`${title}: the container is as it was`, async (t) => {
    const server = await serveRpms(plain.folder, (path) => (of.test(path) ? fate : 'served'))
    t.after(() => server[Symbol.asyncDispose]())
    await scene.leaves(await scene.from('scratch'), ['install', ...unsigned(server.url), name], says)
  })

test('a server that is gone in the middle of a package: the container is as it was, and the next try works', async (t) => {
  let fate: Fate = 'cut'
  const server = await serveRpms(plain.folder, (path) => (/setuid.*rpm$/.test(path) ? fate : 'served'))
  t.after(() => server[Symbol.asyncDispose]())
  const c = await scene.from('scratch')
  const words = ['install', ...unsigned(server.url), 'setuid-program']
  await scene.leaves(c, words, [/setuid-program-1-1/])
  fate = 'served'
  await scene.ok(['dnf', c, ...words])
})
