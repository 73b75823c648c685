import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { builder, tempDir } from '../lane.js'

const one = { auth: 'YTpi' }

test('logout forgets what login keeps, and nothing else', async (t) => {
  const { env, authfile, write } = surroundings(t)
  write(authfile, {
    HttpHeaders: { a: 'b' },
    auths: { 'a.example': one, 'a.example/team': one, 'https://index.docker.io/v1/': one, 'docker.io': one },
  })
  const cases: readonly [registry: string, left: readonly string[]][] = [
    ['a.example', ['a.example/team', 'https://index.docker.io/v1/', 'docker.io']],
    ['https://a.example/team/', ['https://index.docker.io/v1/', 'docker.io']],
    ['docker.io', []],
  ]
  for (const [registry, left] of cases) {
    const ran = await builder(['logout', registry], { env })
    assert.deepEqual([ran.code, ran.stderr], [0, ''])
    assert.deepEqual(Object.keys(JSON.parse(readFileSync(authfile, 'utf8')).auths), left)
  }
  assert.deepEqual(JSON.parse(readFileSync(authfile, 'utf8')).HttpHeaders, { a: 'b' })
})

test('logout --all forgets every login of the file', async (t) => {
  const { env, authfile, write } = surroundings(t)
  write(authfile, { auths: { 'a.example': one, 'b.example/x': one }, credHelpers: {} })
  const ran = await builder(['logout', '--all'], { env })
  assert.deepEqual([ran.stdout, ran.code], ['a.example\nb.example/x\n', 0])
  assert.deepEqual(JSON.parse(readFileSync(authfile, 'utf8')), { auths: {}, credHelpers: {} })
})

test('logout says what it cannot do', async (t) => {
  const { env, authfile, home, write } = surroundings(t)
  write(join(home, '.docker/config.json'), { auths: { 'c.example': one, 'd.example': one } })
  const docker = join(home, '.docker/config.json')
  const cases: readonly [args: readonly string[], message: string][] = [
    [['a.example'], `logout a.example: ${authfile} has no login for it\n`],
    [
      ['c.example'],
      `logout c.example: ${authfile} has no login for it; the login in use is not builder's to forget (see ${docker})\n`,
    ],
    [[], 'logout: no registry is named; name one, or say --all\nSee builder logout --help\n'],
    [['--all', 'a.example'], 'logout: --all takes no registry\nSee builder logout --help\n'],
  ]
  for (const [args, message] of cases) {
    const ran = await builder(['logout', ...args], { env })
    assert.deepEqual([ran.stderr, ran.code, ran.stdout], [`builder: ${message}`, 125, ''])
  }
  write(authfile, { auths: { 'd.example': one } })
  const ran = await builder(['logout', 'd.example'], { env })
  assert.equal(ran.stderr, `builder: another login for d.example is still there (see ${docker})\n`)
})

function surroundings(t: TestContext) {
  const home = tempDir(t)
  const runtime = join(home, 'run')
  mkdirSync(runtime, { mode: 0o700 })
  const env = {
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    XDG_CONFIG_HOME: undefined,
    REGISTRY_AUTH_FILE: undefined,
    DOCKER_CONFIG: undefined,
  }
  const write = (path: string, content: object) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, JSON.stringify(content))
  }
  return { env, home, authfile: join(runtime, 'containers/auth.json'), write }
}
