import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { askHelper } from '../../../sdk/transport/registry/credential-helper.js'
import { credentialsFor } from '../../../sdk/transport/registry/credentials.js'
import { home, setVariables } from './places.js'

const auth = (user: string, password = 'pw') => ({ auth: Buffer.from(`${user}:${password}`).toString('base64') })

test('logins: the most specific key of the first file that has one', async (t) => {
  home(t, {
    'run/containers/auth.json': {
      auths: {
        'a.example': auth('host'),
        'a.example/team': auth('team'),
        'a.example/team/web': auth('web', 'with:colon'),
        'empty.example': {},
        'id.example': { ...auth('', ''), identitytoken: 'T' },
        'nul.example': auth('nul', 'pw\0\0'),
      },
    },
    '.config/containers/auth.json': { auths: { 'a.example': auth('late'), 'b.example:5000': auth('config') } },
    '.docker/config.json': {
      auths: {
        'https://index.docker.io/v1/': auth('hub'),
        'https://c.example/v2/': auth('url'),
        'http://d.example': auth('http'),
        'empty.example': auth('filled'),
      },
    },
    '.dockercfg': { 'https://old.example/v1/': auth('oldest') },
  })
  const cases: readonly [place: string, found: string | undefined][] = [
    ['a.example/team/web', 'web:with:colon'],
    ['a.example/team/web/deep', 'web:with:colon'],
    ['a.example/team/other', 'team:pw'],
    ['a.example/teams', 'host:pw'],
    ['a.example/', 'host:pw'],
    ['b.example:5000/x', 'config:pw'],
    ['b.example/x', undefined],
    ['registry-1.docker.io/library/debian', 'hub:pw'],
    ['docker.io/', 'hub:pw'],
    ['c.example/x', 'url:pw'],
    ['d.example/x', 'http:pw'],
    ['empty.example/x', 'filled:pw'],
    ['id.example/x', 'token T'],
    ['nul.example/x', 'nul:pw'],
    ['old.example/x', 'oldest:pw'],
    ['constructor/x', undefined],
  ]
  for (const [place, found] of cases) assert.equal(await loginOf(place), found, place)
})

test('logins: a named file comes first, and --creds go to no mirror', async (t) => {
  const folder = home(t, {
    'run/containers/auth.json': { auths: { 'a.example': auth('usual') } },
    '.config/containers/auth.json': { auths: { 'b.example': auth('config'), 'e.example': auth('config') } },
    'named.json': { auths: { 'b.example': auth('named') } },
    'docker/config.json': { auths: { 'c.example': auth('docker') } },
    'xdg/containers/auth.json': { auths: { 'd.example': auth('xdg') } },
  })
  const authfile = join(folder, 'named.json')
  assert.equal(await loginOf('b.example/x', { authfile }), 'named:pw')
  assert.equal(await loginOf('a.example/x', { authfile }), undefined)
  assert.equal(await loginOf('e.example/x', { authfile }), 'config:pw')
  assert.equal(await loginOf('a.example/x', { creds: 'me:a:b' }), 'me:a:b')
  const place = { host: 'a.example', repository: 'x', isMirror: true }
  assert.deepEqual(await credentialsFor(place, { creds: 'me:a' }), {
    kind: 'password',
    username: 'usual',
    password: 'pw',
  })
  setVariables(t, { DOCKER_CONFIG: join(folder, 'docker') })
  assert.equal(await loginOf('c.example/x'), 'docker:pw')
  setVariables(t, { XDG_CONFIG_HOME: join(folder, 'xdg') })
  assert.equal(await loginOf('d.example/x'), 'xdg:pw')
  setVariables(t, { REGISTRY_AUTH_FILE: authfile })
  assert.equal(await loginOf('b.example/x'), 'named:pw')
  assert.equal(await loginOf('a.example/x'), undefined)
  await assert.rejects(
    loginOf('b.example/x', { authfile: join(folder, 'no') }),
    /no: it does not exist; check --authfile/,
  )
  await assert.rejects(
    loginOf('b.example/x', { creds: 'me' }),
    /read --creds: the password is missing; write USER:PASSWORD/,
  )
  await assert.rejects(loginOf('b.example/x', { creds: ':hidden' }), /the user is missing/)
})

test('logins: a damaged file is named with its line, and nothing of it is told', async (t) => {
  const cases: readonly [text: string, message: RegExp][] = [
    ['{"auths":\n{"a.example": {"auth": "s3cret",, }}}', /auth\.json:2: it is not JSON; mend it/],
    ['{\n"auths": s3cret }', /auth\.json:2: it is not JSON/],
    ['{"auths":\n\n{"a.example": {"auth": "s3cret', /auth\.json:3: it is not JSON/],
    ['["s3cret"]', /auth\.json: it is not a JSON object/],
    ['{"auths": "s3cret"}', /auth\.json: auths is not a JSON object/],
    ['{"auths": {"a.example": "s3cret"}}', /the login of a\.example is not a JSON object/],
    [
      '{"auths": {"a.example": {"auth": "s3cret"}}}',
      /the login of a\.example is not user:password in base64; log in again/,
    ],
    ['{"auths": {"a.example": {"auth": 5}}}', /the login of a\.example is not user:password in base64/],
    ['{"credHelpers": {"a.example": 1}}', /the helper of a\.example in credHelpers is not a string/],
    ['{"credHelpers": {"a.example": "../../s3cret"}}', /is no name of a helper/],
    ['{"credsStore": []}', /credsStore is not a string/],
  ]
  for (const [text, message] of cases) {
    home(t, { 'run/containers/auth.json': text })
    await assert.rejects(loginOf('a.example/x'), (error: Error) => {
      assert.match(error.message, message)
      for (let one: unknown = error; one instanceof Error; one = one.cause)
        assert.ok(text.includes('../') || !one.message.includes('s3cret'), one.message)
      return true
    })
  }
})

const helper = `#!/bin/sh
read -r server
echo "$1 $server" >> "$HOME/asked"
case "$1 $server" in
'get own.example') echo '{"ServerURL":"own.example","Username":"own","Secret":"s3cret"}' ;;
'get https://index.docker.io/v1/') echo '{"Username":"<token>","Secret":"refresh"}' ;;
'get odd.example') echo 'not JSON s3cret' ;;
'get bad.example') echo 'the keyring is locked'; exit 1 ;;
'get leak.example') echo '{"Secret":"s3cret"}'; exit 2 ;;
*) echo 'credentials not found in native keychain'; exit 1 ;;
esac
`

test('credential helpers: for one registry, and for all', async (t) => {
  const folder = home(t, {
    'bin/docker-credential-test': helper,
    'run/containers/auth.json': {
      credHelpers: {
        'own.example': 'test',
        'odd.example': 'test',
        'bad.example': 'test',
        'leak.example': 'test',
        'lost.example': 'lost',
      },
      auths: { 'own.example/team': auth('file'), 'none.example': auth('file') },
    },
    '.docker/config.json': { credsStore: 'test', auths: { 'kept.example': auth('kept') } },
  })
  assert.equal(await loginOf('own.example/team/x'), 'own:s3cret')
  assert.equal(await loginOf('docker.io/x'), 'token refresh')
  assert.equal(await loginOf('none.example/x'), 'file:pw')
  assert.equal(await loginOf('kept.example/x'), 'kept:pw')
  assert.equal(await loginOf('unknown.example/x'), undefined)
  assert.match(readFileSync(join(folder, 'asked'), 'utf8'), /^get own\.example\n/)
  const cases: readonly [place: string, message: RegExp][] = [
    ['odd.example/x', /docker-credential-test did not answer with a Username and a Secret in JSON; see what/],
    ['bad.example/x', /docker-credential-test failed with exit code 1: the keyring is locked; try/],
    ['leak.example/x', /docker-credential-test failed with exit code 2; try/],
    [
      'lost.example/x',
      /the credential helper docker-credential-lost is not on the PATH; install it, or take "lost" out of/,
    ],
  ]
  for (const [place, message] of cases)
    await assert.rejects(loginOf(place), (error: Error) => {
      assert.match(error.message, message)
      assert.ok(!error.message.includes('s3cret'))
      return true
    })
})

test('credential helpers: a store that is not installed matters only where it has the login', async (t) => {
  home(t, { '.docker/config.json': { credsStore: 'desktop', auths: { 'https://noted.example': {} } } })
  assert.equal(await loginOf('public.example/x'), undefined)
  await assert.rejects(loginOf('noted.example/x'), /docker-credential-desktop is not on the PATH/)
})

test('credential helpers: registries.conf names those for all registries', async (t) => {
  home(t, {
    'bin/docker-credential-test': helper,
    '.config/containers/registries.conf': 'credential-helpers = ["test", "containers-auth.json"]',
    'run/containers/auth.json': { auths: { 'own.example': auth('file'), 'b.example': auth('file') } },
  })
  assert.equal(await loginOf('own.example/x'), 'own:s3cret')
  assert.equal(await loginOf('b.example/x'), 'file:pw')
})

test('credential helpers: one that hangs is ended', async (t) => {
  const folder = home(t, { 'bin/docker-credential-slow': '#!/bin/sh\necho $$ > "$HOME/pid"\nexec sleep 60\n' })
  const late = /docker-credential-slow did not answer within 0\.5 s/
  await assert.rejects(askHelper('slow', 'a.example', { timeout: 500 }), late)
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
  for (let left = 200; left > 0 && isAlive(pid); left--) await sleep(10)
  assert.ok(!isAlive(pid))
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function loginOf(place: string, options = {}): Promise<string | undefined> {
  const slash = place.indexOf('/')
  const found = await credentialsFor({ host: place.slice(0, slash), repository: place.slice(slash + 1) }, options)
  if (!found) return undefined
  return found.kind === 'token' ? `token ${found.identityToken}` : `${found.username}:${found.password}`
}
