import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseReference } from '../../../sdk/image/reference.js'
import { endpointsFor, pushEndpointFor } from '../../../sdk/transport/registry/endpoints.js'
import { home, setVariables } from './places.js'

const conf = '.config/containers/registries.conf'
const digest = `sha256:${'0'.repeat(64)}`

const mirrored = `
[[registry]]
prefix = "example.com/foo"
location = "inner.example/bar"
[[registry.mirror]]
location = "mirror-0.local/for-foo"
[[registry.mirror]]
location = "mirror-1.local/mirrors/foo"
insecure = true
[[registry]]
location = "example.com/foo/deep"
[[registry]]
prefix = "*.wild.example"
insecure = true
[[registry]]
prefix = "*.moved.example"
location = "host.example/moved"
[[registry]]
location = "digests.example"
mirror-by-digest-only = true
[[registry.mirror]]
location = "mirror.example"
[[registry]]
location = "each.example"
[[registry.mirror]]
location = "tags.example"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "all.example/x"
pull-from-mirror = "all"
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "hub.example:5000/cache"
[[registry]]
prefix = "one.example/image:1"
location = "other.example/image:1"
`

test('endpoints: what containers-registries.conf(5) says of a name', async (t) => {
  home(t, { [conf]: mirrored })
  const cases: readonly [name: string, places: string][] = [
    ['plain.example:5000/a/b:1', 'plain.example:5000/a/b'],
    [
      'example.com/foo/image:latest',
      'mirror-0.local/for-foo/image* mirror-1.local/mirrors/foo/image*! inner.example/bar/image',
    ],
    ['example.com/foo', 'mirror-0.local/for-foo* mirror-1.local/mirrors/foo*! inner.example/bar'],
    ['example.com/food', 'example.com/food'],
    ['example.com/foo/deep/x', 'example.com/foo/deep/x'],
    ['a.b.wild.example/x', 'a.b.wild.example/x!'],
    ['wild.example/x', 'wild.example/x'],
    ['a.wild.example.org/x', 'a.wild.example.org/x'],
    ['a.moved.example/x', 'host.example/moved/x'],
    ['digests.example/x:1', 'digests.example/x'],
    [`digests.example/x@${digest}`, 'mirror.example/x* digests.example/x'],
    ['each.example/x:1', 'tags.example/x* all.example/x/x* each.example/x'],
    [`each.example/x@${digest}`, 'all.example/x/x* each.example/x'],
    ['docker.io/debian', 'hub.example:5000/cache/library/debian* registry-1.docker.io/library/debian'],
    ['index.docker.io/a/b', 'hub.example:5000/cache/a/b* registry-1.docker.io/a/b'],
    ['one.example/image:1', 'other.example/image'],
    ['one.example/image:2', 'one.example/image'],
  ]
  for (const [name, places] of cases) assert.equal(await placesOf(name), places, name)
})

test('endpoints: pushing takes no mirror and no other location', async (t) => {
  home(t, { [conf]: mirrored })
  const cases: readonly [name: string, place: string, insecure: boolean][] = [
    ['example.com/foo/image', 'example.com/foo/image', false],
    ['a.wild.example/x', 'a.wild.example/x', true],
    ['docker.io/debian', 'registry-1.docker.io/library/debian', false],
  ]
  for (const [name, place, insecure] of cases) {
    const found = await pushEndpointFor(parseReference(name))
    assert.deepEqual([`${found.host}/${found.repository}`, found.insecure], [place, insecure], name)
  }
})

test('endpoints: --tls-verify counts more than registries.conf', async (t) => {
  home(t, { [conf]: mirrored })
  assert.equal(await placesOf('a.wild.example/x', { tlsVerify: true }), 'a.wild.example/x')
  assert.equal(await placesOf('plain.example/x', { tlsVerify: false }), 'plain.example/x!')
})

test('endpoints: blocked names, and mirrors in blocked places', async (t) => {
  const text = `[[registry]]\nlocation = "bad.example"\nblocked = true\n\n[[registry]]
prefix = "good.example"\nlocation = "bad.example/inner"\n[[registry]]\nlocation = "fair.example"
[[registry.mirror]]\nlocation = "bad.example/m"`
  const folder = home(t, { [conf]: text })
  const where = `${join(folder, conf)}:1`
  const reason = `bad.example is blocked by the [[registry]] at ${where}; use another registry, or take blocked = true away there`
  await fails('bad.example/x:1', 'UNSUPPORTED', `reach bad.example/x:1: ${reason}`)
  await fails('good.example/x', 'UNSUPPORTED', `reach bad.example/inner/x: ${reason}`)
  assert.equal(await placesOf('fair.example/x'), 'fair.example/x')
  await assert.rejects(pushEndpointFor(parseReference('bad.example/x')), { code: 'UNSUPPORTED' })
})

test('registries.conf: which files, and which of them wins', async (t) => {
  const folder = home(t, {
    [conf]: table('a.example', 'main') + table('b.example', 'main'),
    [`${conf}.d/10-x.conf`]: table('b.example', 'ten') + table('c.example', 'ten'),
    [`${conf}.d/20-x.conf`]: table('c.example', 'twenty'),
    [`${conf}.d/30-x.txt`]: 'not read',
    [`${conf}.d/sub.conf.d/x.conf`]: 'not read either',
    'named.conf': table('a.example', 'named'),
    'drop/x.conf': table('b.example', 'dropped'),
    'xdg/containers/registries.conf': table('a.example', 'xdg'),
  })
  const named = join(folder, 'named.conf')
  const all = ['a.example/x', 'b.example/x', 'c.example/x']
  const places = async (options = {}) => (await Promise.all(all.map((name) => placesOf(name, options)))).join(' ')
  assert.equal(await places(), 'main.local/x ten.local/x twenty.local/x')
  const both = { registriesConf: named, registriesConfDir: join(folder, 'drop') }
  assert.equal(await places(both), 'named.local/x dropped.local/x c.example/x')
  setVariables(t, { CONTAINERS_REGISTRIES_CONF: named })
  assert.equal(await placesOf('a.example/x'), 'named.local/x')
  setVariables(t, { CONTAINERS_REGISTRIES_CONF: undefined, XDG_CONFIG_HOME: join(folder, 'xdg') })
  assert.equal(await places(), 'xdg.local/x b.example/x c.example/x')
  const missing = `read registries.conf ${folder}/no.conf: it does not exist; check --registries-conf and CONTAINERS_REGISTRIES_CONF`
  await assert.rejects(placesOf('a.example/x', { registriesConf: join(folder, 'no.conf') }), { message: missing })
})

test('registries.conf: what is wrong in it is said with file and line', async (t) => {
  const cases: readonly [text: string, at: string, message: RegExp][] = [
    ['a = 1\nb = = 2', ':2:5', /it is not TOML: /],
    ['a = 1\na = 2', ':2:', /it is not TOML: /],
    [
      '# old\n[registries.search]\nregistries = ["x"]',
      ':2',
      /it is in the version 1 format; write it as version 2: unqualified/,
    ],
    ['[[registry]]\nblocked = true', ':1', /neither prefix nor location is set/],
    [
      '[[registry]]\nlocation = "a"\n[[registry]]\nprefix = "x.example"',
      ':3',
      /location is not set, and prefix is not \*\.host/,
    ],
    ['[[registry]]\nprefix = "a.*.example"\nlocation = "b"', ':1', /\* may stand only as \*\.host/],
    ['[[registry]]\nprefix = "*.example/foo"\nlocation = "b"', ':1', /\* may stand only as \*\.host/],
    ['[[registry]]\nlocation = "https://a.example"', ':1', /starts with a scheme; leave https:\/\/ out/],
    ['[[registry]]\nlocation = "a"\ninsecure = "yes"', ':1', /insecure is "yes", not true or false/],
    ['[[registry]]\nlocation = 1', ':1', /location is not a string/],
    ['[registry]\nlocation = "a"', ':1', /\[\[registry\]\] is not a list of tables/],
    ['[[registry]]\nlocation = "a"\n[[registry.mirror]]\ninsecure = true', ':1', /mirror: location is not set/],
    [
      '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "no"',
      ':1',
      /"no", not all, digest-only or/,
    ],
    [
      '[[registry]]\nlocation = "a"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "all"',
      ':1',
      /exclude each other/,
    ],
    [
      '[[registry]]\nlocation = "a"\n\n[[registry]]\nlocation = "a"\nblocked = true',
      ':4',
      /two \[\[registry\]\] tables that contradict each other/,
    ],
    ['unqualified-search-registries = "a"', ':1', /unqualified-search-registries is not a list of strings/],
    ['unqualified-search-registries = ["a/b"]', ':1', /"a\/b" in unqualified-search-registries is not host\[:port\]/],
    ['\nshort-name-mode = "often"', ':2', /short-name-mode is "often", not enforcing/],
    ['[aliases]\n"x:1" = "a.example/x"', ':2', /the alias "x:1" is not a short name/],
    ['[aliases]\n"x" = "library/x"', ':2', /the alias "x" does not point to a full name/],
    ['[aliases]\nx = 5', ':2', /the alias "x" does not point to a full name/],
  ]
  for (const [text, at, message] of cases) {
    const file = join(home(t, { [conf]: text }), conf)
    await assert.rejects(placesOf('example.com/x'), (error: Error & { object: string }) => {
      assert.ok(error.object.startsWith(`${file}${at}`), `${error.object}: ${text}`)
      assert.match(error.message, message)
      return true
    })
  }
})

test('endpoints: a location that makes no name', async (t) => {
  const file = join(home(t, { [conf]: '\n[[registry]]\nprefix = "a.example/x"\nlocation = "b.example"' }), conf)
  const message = `find registry of a.example/x:1: the [[registry]] at ${file}:2 makes "b.example:1" of it; prefix and location must end at the same part of a name: both at the host, or both at a folder`
  await fails('a.example/x:1', 'INVALID', message)
  await fails(
    'x',
    'USAGE',
    'find registry of x: the name has no registry; write the full name, registry/repository:tag',
  )
})

test('endpoints: certificates of the first folder that is there', async (t) => {
  const folder = home(t, {
    '.config/containers/certs.d/a.example:5000/ca.crt': '',
    '.config/containers/certs.d/docker.io/ca.crt': '',
    'own/ca.crt': '',
  })
  const dirs = async (name: string, options = {}) => (await endpointsFor(parseReference(name), options))[0]?.certDirs
  const below = (host: string) => [join(folder, '.config/containers/certs.d', host)]
  assert.deepEqual(await dirs('a.example:5000/x'), below('a.example:5000'))
  assert.deepEqual(await dirs('docker.io/x'), below('docker.io'))
  assert.deepEqual(await dirs('b.example/x'), [])
  assert.deepEqual(await dirs('a.example:5000/x', { certDir: join(folder, 'own') }), [join(folder, 'own')])
  const missing = /there is no such folder; name a folder with \*\.crt/
  await assert.rejects(dirs('b.example/x', { certDir: join(folder, 'none') }), missing)
})

function table(prefix: string, host: string): string {
  return `[[registry]]\nprefix = "${prefix}"\nlocation = "${host}.local"\n`
}

/** `*` marks a mirror, `!` an insecure place. */
async function placesOf(name: string, options = {}): Promise<string> {
  const endpoints = await endpointsFor(parseReference(name), options)
  return endpoints
    .map(
      ({ host, repository, isMirror, insecure }) => `${host}/${repository}${isMirror ? '*' : ''}${insecure ? '!' : ''}`,
    )
    .join(' ')
}

function fails(name: string, code: string, message: string): Promise<void> {
  return assert.rejects(placesOf(name), { code, message })
}
