import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatReference } from '../../../sdk/image/reference.js'
import { shortNameCandidates } from '../../../sdk/transport/registry/short-names.js'
import { lane } from '../../lane.js'
import { home } from './places.js'

const conf = '.config/containers/registries.conf'
const digest = `sha256:${'0'.repeat(64)}`
const aliases = `unqualified-search-registries = ["one.example", "docker.io", "three.example:5000"]
[aliases]
alpine = "docker.io/library/alpine"
"team/web" = "registry.example/team/web"
gone = "registry.example/gone"
`

test('short names: aliases, then the registries to search', async (t) => {
  home(t, {
    [conf]: aliases,
    [`${conf}.d/000-shortnames.conf`]:
      '[aliases]\n"gone" = ""\n"late" = "late.example/late"\n"both" = "a.example/both"',
    '.cache/containers/short-name-aliases.conf': '[aliases]\nboth = "recorded.example/both"\n',
    'named.conf': '[aliases]\nboth = "named.example/both"\n',
  })
  const cases: readonly [name: string, names: string][] = [
    ['alpine', 'docker.io/library/alpine'],
    ['alpine:3', 'docker.io/library/alpine:3'],
    [`alpine@${digest}`, `docker.io/library/alpine@${digest}`],
    ['team/web:1', 'registry.example/team/web:1'],
    ['late', 'late.example/late'],
    ['gone', 'one.example/gone docker.io/library/gone three.example:5000/gone'],
    ['a/b:1', 'one.example/a/b:1 docker.io/a/b:1 three.example:5000/a/b:1'],
    // Root's are in /var/cache.
    ['both', lane() === 'root' ? 'a.example/both' : 'recorded.example/both'],
    ['localhost/x', 'localhost/x'],
    ['localhost:5000/x', 'localhost:5000/x'],
    ['docker.io/debian:12', 'docker.io/library/debian:12'],
    ['quay.io/a/b', 'quay.io/a/b'],
  ]
  for (const [name, names] of cases) assert.equal(await candidates(name), names, name)
  const named = { shortNameAliasConf: join(process.env.HOME ?? '', 'named.conf') }
  assert.equal(await candidates('both', named), 'named.example/both')
})

test('short names: modes', async (t) => {
  const two = 'unqualified-search-registries = ["a.example", "b.example"]\n'
  const one = 'unqualified-search-registries = ["a.example"]\n'
  const cases: readonly [text: string, names: string][] = [
    [two, 'a.example/x b.example/x'],
    [`${two}short-name-mode = "permissive"`, 'a.example/x b.example/x'],
    [`${two}short-name-mode = "disabled"`, 'a.example/x b.example/x'],
    [`${one}short-name-mode = "enforcing"`, 'a.example/x'],
  ]
  for (const [text, names] of cases) {
    home(t, { [conf]: text })
    assert.equal(await candidates('x'), names, text)
  }
  home(t, { [conf]: `${two}short-name-mode = "enforcing"` })
  await assert.rejects(candidates('x:1'), {
    code: 'USAGE',
    message:
      'resolve short name x:1: it may be a.example/x:1 or b.example/x:1, and short-name-mode is enforcing; write one of these in full, or give it an alias in registries.conf',
  })
})

test('short names: docker.io is not taken for granted', async (t) => {
  const folder = home(t)
  await assert.rejects(candidates('debian:12'), {
    code: 'NOT_FOUND',
    message: `resolve short name debian:12: nothing says which registry it is in: no alias and no unqualified-search-registries in ${join(folder, conf)}; write the full name, as docker.io/library/debian:12, or set unqualified-search-registries = ["docker.io"] in ~/.config/containers/registries.conf`,
  })
  await assert.rejects(candidates('Debian'), { code: 'INVALID' })
})

async function candidates(name: string, files = {}): Promise<string> {
  return (await shortNameCandidates(name, files)).map(formatReference).join(' ')
}
