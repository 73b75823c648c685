import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { builder, command, needs, tempDir, top } from '../lane.js'
import { registryWithLogin } from '../transport/registry-conf/registry.js'

const user = 'ada'
// Like no other in the list of processes.
const password = `p4ss-${randomUUID()}`

/** Keeps what it is told as files, as a keyring would. */
const helper = `#!/bin/sh
cat /proc/[0-9]*/cmdline >> "$HOME/processes" 2>/dev/null
cd "$HOME/kept" || exit 1
case $1 in
store) cat > new; mv new "$(sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/; s/[/:]/_/g' new)" ;;
get) read -r server; cat "$(echo "$server" | tr /: __)" 2>/dev/null || { echo credentials not found in native keychain; exit 1; } ;;
erase) read -r server; rm "$(echo "$server" | tr /: __)" ;;
esac
`

test('a login goes to the credential helper of the registry, and comes from it', async (t) => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'openssl', 'podman')) return
  const { host, certs } = await registryWithLogin(t, { user, password })
  const { env, authfile, home } = surroundings(t)
  write(authfile, { credHelpers: { [host]: 'test' } })
  const given = ['-u', user, '--password-stdin', '--cert-dir', certs]
  const ran = await builder(['login', ...given, host], { env, input: password })
  assert.equal(ran.stderr, `builder: logged in to ${host} as ada; kept in docker-credential-test\n`)
  assert.ok(!readFileSync(authfile, 'utf8').includes('auths'))
  const kept = JSON.parse(readFileSync(join(home, 'kept', host.replace(':', '_')), 'utf8'))
  assert.deepEqual(kept, { ServerURL: host, Username: user, Secret: password })
  const processes = readFileSync(join(home, 'processes'), 'utf8')
  assert.ok(processes.includes('docker-credential-test') && !processes.includes(password))
  const peer = await command(['podman', 'login', '--get-login', '--authfile', authfile, host], { env })
  assert.equal(peer.stdout, 'ada\n', peer.stderr)
  assert.equal((await builder(['login', '--get-login', host], { env })).stdout, 'ada\n')
  const deep = await builder(['login', ...given, `${host}/team`], { env, input: password })
  assert.match(
    deep.stderr,
    /docker-credential-test keeps the logins of \S+, and a helper knows no namespaces; log in to/,
  )
  assert.equal((await builder(['logout', host], { env })).stdout, `${host}\n`)
  assert.match((await builder(['logout', host], { env })).stderr, /has no login for it/)
})

test("docker's credsStore keeps the secret, and its file the name", async (t) => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'openssl')) return
  const { host, certs } = await registryWithLogin(t, { user, password })
  const { env, authfile } = surroundings(t)
  write(authfile, { credsStore: 'test' })
  const ran = await builder(['login', '-u', user, '--password-stdin', '--cert-dir', certs, host], {
    env,
    input: password,
  })
  assert.equal(ran.code, 0, ran.stderr)
  assert.deepEqual(JSON.parse(readFileSync(authfile, 'utf8')), { credsStore: 'test', auths: { [host]: {} } })
  assert.equal((await builder(['login', '--get-login', host], { env })).stdout, 'ada\n')
  assert.equal((await builder(['logout', '--all'], { env })).stdout, `${host}\n`)
  assert.equal((await builder(['login', '--get-login', host], { env })).code, 125)
})

test('a login is checked at the token server that the registry names', async (t) => {
  const { env, authfile } = surroundings(t)
  const seen: string[] = []
  const host = await serve(t, (request, base) => {
    seen.push(`${request.url} ${request.headers.authorization ?? '-'}`)
    if (request.method === 'POST') return { status: 200, body: { access_token: 'T0KEN' } }
    if (request.url?.startsWith('/token')) {
      const right = request.headers.authorization === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
      return right ? { status: 200, body: { token: 'T0KEN' } } : { status: 401 }
    }
    if (request.headers.authorization === 'Bearer T0KEN') return { status: 200 }
    return { status: 401, challenge: `Bearer realm="${base}/token",service="a b",scope="x"` }
  })
  const given = ['login', '-u', user, '--password-stdin', '--tls-verify=false', host]
  const bad = await builder(given, { env, input: 'wr0ng' })
  assert.match(bad.stderr, /the registry refuses this user with this password/)
  const ran = await builder(given, { env, input: password })
  assert.equal(ran.code, 0, ran.stderr)
  const basic = Buffer.from(`${user}:${password}`).toString('base64')
  assert.deepEqual(seen.slice(-3), ['/v2/ -', `/token?service=a+b&account=ada Basic ${basic}`, '/v2/ Bearer T0KEN'])
  write(authfile, { auths: { [host]: { auth: '', identitytoken: 'R3FRESH' } } })
  const again = await builder(['login', '--tls-verify=false', host], { env })
  assert.equal(again.stderr, `builder: already logged in to ${host} with a token\n`)
  assert.deepEqual(seen.slice(-3), ['/v2/ -', '/token -', '/v2/ Bearer T0KEN'])
})

test('a registry that is none, and one that would have the password sent in clear', async (t) => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'openssl')) return
  const { env } = surroundings(t)
  const asked: string[] = []
  const stranger = await serve(t, ({ url = '' }) => ({ status: asked.push(url) > 0 ? 200 : 0, body: { token: 'x' } }))
  const { host, certs } = await registryWithLogin(t, { user, password, realm: `http://${stranger}/token` })
  const cases: readonly [args: readonly string[], message: RegExp][] = [
    [['--cert-dir', certs, host], /wants the password sent to http:\/\/\S+, without TLS/],
    [
      ['--tls-verify=false', await serve(t, () => ({ status: 302 }))],
      /GET \/v2\/ answers 302; check that it is a registry/,
    ],
    [['--tls-verify=false', await serve(t, () => ({ status: 401 }))], /the registry refuses this user/],
    [
      ['--tls-verify=false', await serve(t, () => ({ status: 401, challenge: 'Bearer x="y"' }))],
      /the registry refuses this user/,
    ],
  ]
  for (const [args, message] of cases) {
    const ran = await builder(['login', '-u', user, '--password-stdin', ...args], { env, input: password })
    assert.match(ran.stderr, message)
    assert.ok(!ran.stderr.includes(password))
  }
  assert.deepEqual(asked, [])
})

test('at a terminal builder asks, and the password does not show', async (t) => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'openssl', 'python3')) return
  const { host, certs } = await registryWithLogin(t, { user, password })
  const { env, home, authfile } = surroundings(t)
  writeFileSync(join(home, 'type.py'), typist)
  const argv = [
    join(top, 'bin/builder'),
    '--root',
    join(home, 'r'),
    '--runroot',
    join(home, 'rr'),
    'login',
    '--cert-dir',
    certs,
    host,
  ]
  const ran = await command(['python3', join(home, 'type.py'), user, `x\x7f${password}`, ...argv], { env })
  assert.match(ran.stdout, /User for 127\.0\.0\.1:\d+: ada\r\nPassword of ada: \r?\n.*logged in to/s)
  assert.ok(!ran.stdout.includes(password), ran.stdout)
  assert.ok(Object.hasOwn(JSON.parse(readFileSync(authfile, 'utf8')).auths, host))
  const stopped = await command(['python3', join(home, 'type.py'), user, '\x03', ...argv, '-u', 'x'], { env })
  assert.match(stopped.stdout, /Password of x:/)
})

/** Answers the questions of a program at a terminal: the user, the password. */
const typist = `
import os, pty, sys
user, password, argv = sys.argv[1], sys.argv[2], sys.argv[3:]
pid, fd = pty.fork()
if pid == 0: os.execv(argv[0], argv)
seen, left = b'', [(b'User for', user), (b'Password of', password)]
while True:
    try: data = os.read(fd, 1024)
    except OSError: break
    if not data: break
    seen += data
    for one in [one for one in left if one[0] in seen]:
        left.remove(one)
        os.write(fd, one[1].encode() + b'\\r')
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`

interface Reply {
  readonly status: number
  readonly challenge?: string
  readonly body?: object
}

/** A registry of the test's own, with plain HTTP; gives its `host:port`. */
async function serve(t: TestContext, answer: (request: IncomingMessage, base: string) => Reply): Promise<string> {
  const server = createServer((request, response) => {
    const { status, challenge, body = {} } = answer(request, `http://${request.headers.host}`)
    response.writeHead(status, challenge === undefined ? {} : { 'www-authenticate': challenge })
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function write(path: string, content: object): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, JSON.stringify(content))
}

function surroundings(t: TestContext) {
  const home = tempDir(t)
  for (const folder of ['run', 'bin', 'kept']) mkdirSync(join(home, folder), { mode: 0o700 })
  writeFileSync(join(home, 'bin/docker-credential-test'), helper)
  chmodSync(join(home, 'bin/docker-credential-test'), 0o755)
  const env = {
    HOME: home,
    XDG_RUNTIME_DIR: join(home, 'run'),
    XDG_CONFIG_HOME: undefined,
    REGISTRY_AUTH_FILE: undefined,
    DOCKER_CONFIG: undefined,
    PATH: `${join(home, 'bin')}:${process.env.PATH}`,
  }
  return { env, home, authfile: join(home, 'run/containers/auth.json') }
}
