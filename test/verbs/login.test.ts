import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { login, logout } from '../../sdk/index.js'
import { type BuilderOptions, builder, command, needs, tempDir } from '../lane.js'
import { registryWithLogin } from '../transport/registry-conf/registry.js'

const user = 'ada'
const password = 'p4ss:wörd-secret'
const secrets = [password, Buffer.from(`${user}:${password}`).toString('base64'), 'wr0ng-secret']

test('a login is checked, kept for the user alone, and read by skopeo', async (t) => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'openssl', 'skopeo')) return
  const { host, certs } = await registryWithLogin(t, { user, password })
  const { env, authfile } = surroundings(t)
  const ran = await logIn(['-u', user, '--password-stdin', '--cert-dir', certs, host], { env, input: `${password}\n` })
  assert.deepEqual(ran, { stdout: '', stderr: `builder: logged in to ${host} as ada; kept in ${authfile}\n`, code: 0 })
  assert.equal(statSync(authfile).mode & 0o777, 0o600)
  const said = await command(['skopeo', 'login', '--get-login', '--authfile', authfile, host])
  assert.deepEqual({ stdout: said.stdout, code: said.code }, { stdout: 'ada\n', code: 0 })
  const listed = ['skopeo', 'list-tags', '--authfile', authfile, '--cert-dir', certs, `docker://${host}/nothing`]
  assert.match((await command(listed)).stderr, /404 \(Not Found\)/)
  assert.equal((await logIn(['--get-login', host], { env })).stdout, 'ada\n')
  const again = await logIn(['--cert-dir', certs, host], { env })
  assert.deepEqual([again.code, again.stderr], [0, `builder: already logged in to ${host} as ada\n`])
})

test('what podman login writes, builder reads and forgets', async (t) => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'openssl', 'podman')) return
  const { host, certs } = await registryWithLogin(t, { user, password })
  const { env, authfile } = surroundings(t)
  const peer = ['podman', 'login', '--authfile', authfile, '--cert-dir', certs, '-u', user, '--password-stdin', host]
  assert.equal((await command(peer, { input: password })).code, 0)
  assert.equal(
    (await logIn(['--cert-dir', certs, host], { env })).stderr,
    `builder: already logged in to ${host} as ada\n`,
  )
  const out = await builder(['logout', host], { env })
  assert.deepEqual([out.stdout, out.code], [`${host}\n`, 0])
  assert.match(
    (await command(['podman', 'login', '--get-login', '--authfile', authfile, host])).stderr,
    /not logged in/,
  )
})

test('what is refused is not kept, and no message tells a secret', async (t) => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'openssl')) return
  const { host, certs } = await registryWithLogin(t, { user, password })
  const plain = await registryWithLogin(t, { user, password, plain: true })
  const { env, authfile } = surroundings(t)
  const given = ['-u', user, '--password-stdin']
  const cases: readonly [args: readonly string[], input: string, message: RegExp][] = [
    [
      [...given, '--cert-dir', certs, host],
      'wr0ng-secret',
      /login \S+: the registry refuses this user with this password; check both/,
    ],
    [[...given, host], password, /its certificate is not trusted: .*; give its authority with --cert-dir/],
    [[...given, plain.host], password, /it speaks plain HTTP, not TLS; allow that with --tls-verify=false/],
    [
      [...given, '127.0.0.1:1'],
      password,
      /log in to 127\.0\.0\.1:1: .*it refuses the connection; check the name, the port/,
    ],
    [[...given, '--cert-dir', '/nowhere', host], password, /\/nowhere: there is no such folder/],
    [[...given, 'not a host'], password, /it is not host\[:port\]/],
    [['--password-stdin', host], password, /a password is given, but no user; say --username/],
    [[...given, '-p', password, host], password, /--password and --password-stdin exclude each other/],
    [[...given, host], '', /the password is empty/],
    [['-u', 'a:b', '--password-stdin', host], password, /a user is not empty and has no colon/],
    [['-u', user, host], '', /no password is given .* no terminal to ask at; say --username USER --password-stdin/],
    [[host], '', /no user is given .* no terminal to ask at/],
    [['--get-login', host], '', /there is no login for it; builder login/],
    [['--get-login', '-u', user, host], '', /--get-login takes no user and no password/],
  ]
  for (const [args, input, message] of cases) {
    const ran = await logIn(args, { env, input }, ['--log-level', 'debug'])
    assert.equal(ran.code, 125, args.join(' '))
    assert.match(ran.stderr, message)
    for (const secret of secrets) assert.ok(!ran.stderr.includes(secret), ran.stderr)
  }
  assert.throws(() => statSync(authfile), /ENOENT/)
})

test('plain HTTP with --tls-verify=false or an insecure registries.conf', async (t) => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'openssl')) return
  const { host } = await registryWithLogin(t, { user, password, plain: true })
  const { env, home } = surroundings(t)
  const given = ['-u', user, '-p', password]
  const ran = await logIn([...given, '--tls-verify=false', host], { env })
  assert.equal(ran.code, 0)
  assert.match(ran.stderr, /others on this machine can read a password on a command line; use --password-stdin/)
  writeFileSync(join(home, 'registries.conf'), `[[registry]]\nlocation = "${host}"\ninsecure = true\n`)
  const conf = { ...env, CONTAINERS_REGISTRIES_CONF: join(home, 'registries.conf') }
  assert.equal((await logIn([...given, host], { env: conf })).code, 0)
})

test('auth.json keeps what builder does not know, and a link stays a link', async (t) => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'openssl')) return
  const { host, certs } = await registryWithLogin(t, { user, password })
  const { env, authfile, home } = surroundings(t)
  const real = join(home, 'real.json')
  writeFileSync(
    real,
    JSON.stringify({ HttpHeaders: { a: 'b' }, auths: { 'other.example': { auth: 'eDp5', email: 'x' } } }),
  )
  const leftByKilled = join(home, '.real.json.builder-new')
  writeFileSync(leftByKilled, 'half a lo')
  mkdirSync(join(authfile, '..'), { recursive: true })
  symlinkSync(real, authfile)
  const namespaces = [host, `${host}/team`, `${host}/team/web`]
  const runs = namespaces.map((key) =>
    logIn(['-u', user, '--password-stdin', '--cert-dir', certs, key], { env, input: password }),
  )
  for (const { code, stderr } of await Promise.all(runs)) assert.equal(code, 0, stderr)
  const auth = Buffer.from(`${user}:${password}`).toString('base64')
  const kept = JSON.parse(readFileSync(real, 'utf8'))
  assert.deepEqual(kept.HttpHeaders, { a: 'b' })
  assert.deepEqual(kept.auths['other.example'], { auth: 'eDp5', email: 'x' })
  assert.deepEqual(
    namespaces.map((key) => kept.auths[key]),
    [{ auth }, { auth }, { auth }],
  )
  assert.equal(statSync(real).mode & 0o777, 0o600)
  assert.ok(lstatSync(authfile).isSymbolicLink() && !existsSync(leftByKilled))
})

test('login and logout from TypeScript, with a file of their own', async (t) => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'openssl')) return
  const { host, certs } = await registryWithLogin(t, { user, password })
  const folder = tempDir(t)
  const authfile = join(folder, 'new/auth.json')
  const places = { root: join(folder, 'root'), runroot: join(folder, 'run'), authfile }
  const result = await login(host, { ...places, username: user, password, certDir: certs })
  assert.deepEqual(result, { registry: host, username: user, kept: authfile })
  await assert.rejects(login(host, { ...places, username: user, password: 'wr0ng-secret', certDir: certs }), {
    code: 'DENIED',
    message: `login ${host}: the registry refuses this user with this password; check both; many registries want an access token in the place of the password`,
  })
  assert.deepEqual(await logout(host, places), [host])
})

function logIn(args: readonly string[], options: BuilderOptions, before: readonly string[] = []) {
  return builder([...before, 'login', ...args], options)
}

/** A home of the test's own, and where logins are kept in it. */
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
  return { env, home, authfile: join(runtime, 'containers/auth.json') }
}
