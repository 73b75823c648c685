import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { builder, command, needs, type Ran, tempDir, top } from '../lane.js'

const store = tempDir({ after })
const hasSources = existsSync('/etc/debian_version')

const static_ = ['sh', join(top, 'recipes/debian-static.sh')]
const python = [join(top, 'node_modules/.bin/tsx'), join(top, 'recipes/python-app.ts')]

function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}, umask = '022'): Promise<Ran> {
  const places = {
    BUILDER_ROOT: join(store, 'root'),
    BUILDER_RUNROOT: join(store, 'run'),
    SOURCE_DATE_EPOCH: '1700000000',
  }
  const path = `${join(top, 'bin')}:${process.env.PATH}`
  return command(['sh', '-c', `umask ${umask}; exec "$@"`, 'sh', ...argv], {
    env: { ...places, PATH: path, ...env },
    cwd: '/',
  })
}

function idOf({ code, stdout, stderr }: Ran): string {
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^[0-9a-f]{64}\n$/)
  return stdout.trim()
}

/** What a command of builder's prints. */
async function own(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await builder(words, { store })
  assert.equal(code, 0, stderr)
  return stdout
}

/** What dpkg finds wrong with a root of extracted packages: their files are compared with the packages' own sums. */
const verify = `set -e; cd "$m"; a=$(mktemp -d); mkdir $a/updates $a/info
cp var/lib/dpkg/info/*.list var/lib/dpkg/status.d/*.md5sums $a/info
for f in var/lib/dpkg/info/*.list; do name=\${f##*/}; name=\${name%.list}
  sed '1aStatus: install ok installed' var/lib/dpkg/status.d/$name; echo; done >$a/status
dpkg --root="$m" --admindir=$a -V; dpkg-query --admindir=$a -l | grep -c ^ii; rm -r $a`

async function verified(image: string): Promise<string> {
  const c = (await own('from', image)).trim()
  const text = await own('unshare', '-m', `m=${c}`, 'sh', '-c', verify)
  await own('rm', c)
  return text
}

test('debian-static has certificates, time zones and a user, and runs a static program as that', async (t) => {
  if (!hasSources || !needs(t, 'apt-get', 'busybox')) return
  const id = idOf(await run(static_))
  assert.equal(idOf(await run(static_, { TZ: 'Asia/Tokyo', LC_ALL: 'POSIX' }, '077')), id)
  assert.equal(await verified(id), '4\n')
  const c = (await own('from', id)).trim()
  await own('copy', '-q', c, '/bin/busybox', '/usr/bin/busybox')
  const line = 'id -un; pwd; TZ=Asia/Tokyo date -d @0 +%H; grep -c BEGIN "$SSL_CERT_FILE" | grep -c ...; ls -d ~'
  assert.equal(await own('run', c, '--', 'busybox', 'sh', '-c', line), 'nonroot\n/home/nonroot\n09\n1\n/home/nonroot\n')
  const listed = JSON.parse(await own('packages', '--format', 'json', id)) as { packages: { name: string }[] }
  const names = listed.packages.map(({ name }) => name)
  assert.deepEqual(names, ['base-files', 'ca-certificates', 'netbase', 'tzdata'])
  await own('rm', c)
})

test('python-app greets, as its user, and its interpreter is whole', async (t) => {
  if (!hasSources || !needs(t, 'apt-get')) return
  const id = idOf(await run(python))
  assert.equal(idOf(await run(python, { LANG: 'C', TZ: 'America/Lima' }, '077')), id)
  assert.match(await verified(id), /^\d+\n$/)
  const c = (await own('from', id)).trim()
  assert.equal(await own('run', c), 'hello world from user 65532\n')
  await own('rm', c)
  assert.equal(await own('containers', '-q'), '')
})

test('the shell recipe is clean under shellcheck', async (t) => {
  if (!needs(t, 'shellcheck')) return
  assert.equal((await command(['shellcheck', join(top, 'recipes/debian-static.sh')])).stdout, '')
})
