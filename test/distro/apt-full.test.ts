import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import type { AptOptions, Container } from '../../sdk/index.js'
import { lane, needs, tempDir } from '../lane.js'
import { container, inRoot, listing } from '../sdk/rooted.js'
import { type AptScene, aptScene, file, imageOf } from './apt-scene.js'
import type { DebSpec } from './deb-file.js'

/** What a script finds, and that it may write what only dpkg's root has. */
const postinst = `#!/bin/sh
set -e
echo "$1 $PWD" >/var/lib/served-by
id -u >>/var/lib/served-by
test -c /dev/null && test -r /proc/self/status && echo "$DEBIAN_FRONTEND $LC_ALL" >>/var/lib/served-by
hostname >>/var/lib/served-by
ls /usr/sbin/policy-rc.d >>/var/lib/served-by
: >/dev/made
date >/var/log/dpkg.log
`
const folders = ['srv', 'usr', 'usr/share', 'usr/share/doc'].map((name) => ({ path: `${name}/` }))
const specs: readonly DebSpec[] = [
  {
    name: 'served',
    version: '1.0',
    fields: ['Depends: served-data'],
    entries: [...folders, file('srv/served'), { path: 'usr/share/doc/served/' }, file('usr/share/doc/served/README')],
    control: { postinst, postrm: '#!/bin/sh\nrm -f /var/lib/served-by\n' },
  },
  { name: 'served-data', entries: [...folders, file('srv/data')] },
  {
    name: 'stranger',
    entries: [...folders, { ...file('srv/strange'), uid: 2_000_000 }],
  },
  {
    name: 'failing',
    entries: [...folders, file('srv/failing')],
    control: { postinst: '#!/bin/sh\necho first\necho "cannot find the moon" >&2\nexit 7\n' },
  },
]

const folder = tempDir({ after })
let scene: AptScene
let system: string
before(async () => {
  scene = await aptScene(folder, specs)
  system = await smallSystem()
})
after(() => scene[Symbol.asyncDispose]())

/** An image with busybox for a shell and a dpkg database that says so: what host's dpkg needs to execute scripts. */
async function smallSystem(): Promise<string> {
  const c = await container()
  await c.copy('/bin/busybox', '/usr/bin/busybox')
  const links = ['sh', 'rm', 'ls', 'id', 'test', 'hostname', 'date', 'tar', 'diff', 'start-stop-daemon', 'ldconfig']
  const lines = [
    'ln -s usr/bin bin; ln -s usr/bin sbin; ln -s bin usr/sbin; mkdir -p proc dev tmp etc var/log var/lib/dpkg/info var/lib/dpkg/updates',
    `for name in ${links.join(' ')}; do ln -s busybox usr/bin/$name; done`,
    ': >var/lib/dpkg/available; echo 1 >var/lib/dpkg/info/format; echo /. >var/lib/dpkg/info/busybox-static.list; : >var/lib/dpkg/info/busybox-static.md5sums',
    `printf '%s\\n' 'Package: busybox-static' 'Status: install ok installed' 'Version: 1' 'Architecture: all' 'Maintainer: x <x@y>' 'Description: shell' >var/lib/dpkg/status`,
  ]
  await inRoot(c, lines.join(' && '))
  return imageOf(c)
}

function apt(c: Container, words: readonly string[], options: AptOptions = {}) {
  return c.apt(words, { ...scene.sources, ...options })
}

test('on a system packages are installed by dpkg, and their scripts executed in it', async (t) => {
  if (!needs(t, 'busybox')) return
  const c = await container(system)
  const { mode, packages } = await apt(c, ['install', 'served'])
  assert.deepEqual([mode, packages.map(({ name }) => name)], ['full', ['served', 'served-data']])
  const said = (await inRoot(c, 'cat var/lib/served-by')).split('\n')
  assert.deepEqual(said.slice(0, 3), ['configure /', '0', 'noninteractive C.UTF-8'])
  assert.deepEqual(said.slice(4), ['/usr/sbin/policy-rc.d', ''])
  const found = await listing(c)
  for (const gone of [/^dev\/[^ ]/, /^proc\/[^ ]/, /policy-rc\.d/, /dpkg\.log/, /-old /, /served\/README/, /\block/])
    assert.deepEqual(
      found.filter((line) => gone.test(line)),
      [],
      `${gone}`,
    )
  assert.equal(
    await inRoot(c, 'dpkg --root=$PWD --audit; dpkg --root=$PWD -s served | grep Status'),
    'Status: install ok installed\n',
  )
  const { removed } = await apt(c, ['remove', 'served-data'])
  assert.deepEqual(removed, ['served', 'served-data'])
  assert.equal(
    await inRoot(c, 'ls var/lib/served-by srv 2>&1 | wc -l; dpkg --root=$PWD -l | grep -c served || true'),
    '2\n0\n',
  )
})

test('a script that fails is told with the end of its output, and leaves nothing behind', async (t) => {
  if (!needs(t, 'busybox')) return
  const c = await container(system)
  const was = await listing(c)
  await assert.rejects(apt(c, ['install', 'served', 'failing']), {
    code: 'RUN',
    exitCode: 7,
    message:
      /^apt install failing: its postinst script failed with exit status 7:\n[\s\S]*first\ncannot find the moon\n; the container is as it was before; --mode extract executes no scripts$/,
  })
  assert.deepEqual(await listing(c), was)
})

test('a link in the container leads nothing out of it', async (t) => {
  if (!needs(t, 'busybox')) return
  const outside = tempDir(t)
  const c = await container(system)
  await inRoot(c, `ln -s ${outside} srv`)
  await assert.rejects(apt(c, ['install', 'served']), {
    code: 'RUN',
    message: /^apt install served(-data)?: .*Read-only file system; the container is as it was before$/,
  })
  assert.deepEqual(readdirSync(outside), [])
})

test('an owner outside the id map is named with what to do', async (t) => {
  if (lane() === 'root' || !needs(t, 'busybox')) return
  const c = await container(system)
  await assert.rejects(apt(c, ['install', 'stranger']), {
    code: 'ID_MAP',
    message:
      /^apt install stranger: a file's owner is outside the id map: .*srv\/strange.*; add a larger range to \/etc\/subuid/,
  })
})

test('the same packages give the same system, whatever the order and the moment', async (t) => {
  if (!needs(t, 'busybox')) return
  const ids = []
  for (const words of [
    ['served', 'served-data'],
    ['served-data', 'served'],
  ]) {
    const c = await container(system)
    await apt(c, ['install', ...words])
    ids.push(await imageOf(c))
  }
  assert.equal(ids[0], ids[1])
})

test('a lock gives the same system, too', async (t) => {
  if (!needs(t, 'busybox')) return
  const lock = join(tempDir(t), 'packages.lock')
  const ids = []
  for (const mode of ['full', 'full'] as const) {
    const c = await container(system)
    await apt(c, ['install', 'served'], { lock, mode })
    ids.push(await imageOf(c))
  }
  assert.equal(ids[0], ids[1])
})

test('modes that do not fit the container are refused', async () => {
  const c = await container(system)
  await assert.rejects(apt(c, ['install', 'served'], { mode: 'extract' }), {
    code: 'INVALID',
    message: /^apt install --mode extract: the container has a Debian system, .*; use --mode full$/,
  })
  const other = await container()
  await inRoot(other, 'echo x >file')
  await assert.rejects(apt(other, ['install', 'served'], { mode: 'full' }), {
    code: 'INVALID',
    message: /--mode full: the container has files, but no Debian system; begin from scratch or a Debian image/,
  })
})

test('an empty container gets an essential system of real packages, and runs', async (t: TestContext) => {
  if (!needs(t, 'mmdebstrap', 'apt-get')) return
  // It takes 20 seconds: where it is hardest.
  if (lane() !== 'user' || !existsSync('/etc/debian_version')) return
  const c = await container()
  const { packages } = await c.apt(['install', 'netbase'], { fromHost: true, mode: 'full', progress: 'none' })
  const names = packages.map(({ name }) => name)
  for (const name of ['base-files', 'dpkg', 'bash', 'libc6', 'netbase']) assert.ok(names.includes(name), name)
  for (const name of ['apt', 'perl', 'systemd']) assert.ok(!names.includes(name), name)
  const missing = await inRoot(
    c,
    'dpkg --root=$PWD --audit; dpkg --root=$PWD -V | grep -v " /usr/share/\\(doc\\|doc-base\\|man\\|info\\|locale\\|lintian\\)/" || true',
  )
  assert.equal(missing, '')
  const { stdout } = await c.run([
    'sh',
    '-c',
    'grep ^http /etc/services | head -n1; dpkg-query -s netbase | grep Status',
  ])
  assert.match(stdout, /^http\s+80\/tcp.*\nStatus: install ok installed\n$/)
  assert.equal(
    await inRoot(
      c,
      'ls -A dev proc tmp var/log/apt etc/hostname etc/resolv.conf 2>/dev/null | grep . | grep -v : || true',
    ),
    '',
  )
})
