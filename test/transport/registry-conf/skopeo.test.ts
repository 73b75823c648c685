import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseReference } from '../../../sdk/image/reference.js'
import { endpointsFor } from '../../../sdk/transport/registry/endpoints.js'
import { command, needs } from '../../lane.js'
import { home } from './places.js'

// Nothing listens on port 1, so that skopeo goes through all the places, and says so.
const conf = `
[[registry]]
prefix = "example.com/foo"
location = "127.0.0.1:1/bar"
[[registry.mirror]]
location = "127.0.0.1:1/m0"
[[registry.mirror]]
location = "127.0.0.1:1/m1/x"
insecure = true
[[registry.mirror]]
location = "127.0.0.1:1/digests"
pull-from-mirror = "digest-only"
[[registry]]
prefix = "example.com"
location = "127.0.0.1:1/rest"
[[registry]]
prefix = "*.wild.example"
location = "127.0.0.1:1/wild"
[[registry]]
prefix = "a.wild.example"
location = "127.0.0.1:1/single"
[[registry]]
prefix = "*.deep.wild.example"
location = "127.0.0.1:1/deep"
[[registry]]
prefix = "docker.io"
location = "127.0.0.1:1/hub"
[[registry]]
prefix = "host.example"
location = "127.0.0.1"
[[registry]]
prefix = "only.example"
location = "127.0.0.1:1/only"
mirror-by-digest-only = true
[[registry.mirror]]
location = "127.0.0.1:1/mirror"
`

test('endpoints: the places that skopeo tries, in its order', async (t) => {
  if (!needs(t, 'skopeo')) return
  const file = join(home(t, { 'r.conf': conf }), 'r.conf')
  const digest = `sha256:${'1'.repeat(64)}`
  const names = [
    'example.com/foo/image:1',
    'example.com/foo:1',
    'example.com/food:1',
    'a.wild.example/x:1',
    'a.b.wild.example/x/y:1',
    'a.deep.wild.example/x:1',
    'docker.io/library/alpine:3',
    'docker.io/alpine:3',
    'index.docker.io/a/b:1',
    'host.example:1/y:1',
    'only.example/x:1',
    `only.example/x@${digest}`,
  ]
  for (const name of names) {
    const argv = ['skopeo', '--registries-conf', file, '--debug', 'inspect', `docker://${name}`]
    const tried = [...(await command(argv)).stderr.matchAll(/Trying to access \\"(127\.0\.0\.1:1\/[^@:"\\]*)/g)]
    const ours = await endpointsFor(parseReference(name), { registriesConf: file })
    assert.ok(ours.length > 0)
    assert.deepEqual(
      ours.map(({ host, repository }) => `${host}/${repository}`),
      tried.map(([, place]) => place),
      name,
    )
  }
})
