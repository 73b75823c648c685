import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fullVersion } from '../../sdk/distro/installed-package.js'
import { type Installed, installedPackages } from '../../sdk/distro/installed-packages.js'
import { filesOfFolders } from '../../sdk/store/image-files.js'
import { command, needs, tempDir } from '../lane.js'

function rootOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = tempDir(t)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

function read(root: string): Installed {
  return installedPackages(filesOfFolders([root]), 'it')
}

test('what dpkg-query says of this machine', async (t) => {
  if (!needs(t, 'dpkg-query')) return
  const root = rootOf(t, { 'var/lib/dpkg/none': '' })
  copyFileSync('/var/lib/dpkg/status', join(root, 'var/lib/dpkg/status'))
  const fields = [
    'Package',
    'Version',
    'Architecture',
    'source:Package',
    'source:Version',
    'Maintainer',
    'Installed-Size',
  ]
  const format = `\${db:Status-Status}|${fields.map((name) => `\${${name}}`).join('|')}\\n`
  const { stdout } = await command(['dpkg-query', `--admindir=${root}/var/lib/dpkg`, '-W', '-f', format])
  const lines = stdout
    .trim()
    .split('\n')
    .filter((line) => !/^(?:not-installed|config-files)\|/.test(line))
  const expected = lines.map((line) => line.replace(/^[^|]*\|/, '')).sort()
  const found = read(root).packages.map((one) =>
    [
      one.name,
      fullVersion(one),
      one.arch,
      one.source,
      one.sourceVersion,
      one.maintainer,
      (one.size ?? 0) / 1024 || '',
    ].join('|'),
  )
  assert.ok(found.length > 100)
  assert.deepEqual(found.sort(), expected)
})

const tzdata = 'Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\nDescription: time zones\n more\n'
const libc = 'Package: libc6\nStatus: install ok installed\nSource: glibc\nVersion: 1:2.36-9\nArchitecture: amd64\n'

test('an image without dpkg has a file a package, and no sums of files are read as packages', (t) => {
  const root = rootOf(t, {
    'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
    'var/lib/dpkg/status.d/tzdata': tzdata,
    'var/lib/dpkg/status.d/tzdata.md5sums': 'abc  usr/share/x\n',
  })
  const { packages, databases } = read(root)
  assert.deepEqual(databases, [{ path: '/var/lib/dpkg/status.d', kind: 'dpkg-status.d' }])
  assert.deepEqual(packages, [
    {
      type: 'deb',
      name: 'tzdata',
      version: '2024a',
      release: '0+deb12u1',
      arch: 'all',
      source: 'tzdata',
      sourceVersion: '2024a-0+deb12u1',
      summary: 'time zones',
      purl: 'pkg:deb/debian/tzdata@2024a-0%2Bdeb12u1?arch=all&distro=debian-12',
    },
  ])
})

test('epochs, sources, and packages of which only the configuration is left', (t) => {
  const gone = libc.replace('libc6', 'gone').replace('install ok installed', 'deinstall ok config-files')
  const { packages } = read(rootOf(t, { 'var/lib/dpkg/status': `${libc}\n \n${gone}\n\n` }))
  assert.deepEqual(
    packages.map(({ name, epoch, version, release, source, purl }) => [name, epoch, version, release, source, purl]),
    [['libc6', 1, '2.36', '9', 'glibc', 'pkg:deb/libc6@1:2.36-9?arch=amd64']],
  )
})

test('an empty database is no error', (t) => {
  assert.deepEqual(read(rootOf(t, { 'var/lib/dpkg/status': '' })).packages, [])
})

const refusals: readonly (readonly [what: string, files: Readonly<Record<string, string>>, says: RegExp])[] = [
  [
    'no database',
    { 'bin/app': '' },
    /packages it: it has no database of packages: looked for \/usr\/lib\/sysimage\/rpm, \/var\/lib\/rpm, .*\/var\/lib\/dpkg\/status\.d; an image without/,
  ],
  ['no field', { 'var/lib/dpkg/status': 'hello\n' }, /status: the database is damaged: the line "hello" is no field/],
  ['no name', { 'var/lib/dpkg/status': 'Version: 1\n' }, /a package has no name/],
  ['no version', { 'var/lib/dpkg/status.d/x': 'Package: x\n' }, /package x has no version/],
  ['not text', { 'var/lib/dpkg/status': '\0\0\0' }, /it is not text/],
]

for (const [what, files, says] of refusals)
  test(`${what}: says so`, (t) => {
    const root = rootOf(t, files)
    assert.throws(() => read(root), says)
  })

test('a file larger than any database: says so before it is read', (t) => {
  const root = rootOf(t, { 'var/lib/dpkg/status': '' })
  truncateSync(join(root, 'var/lib/dpkg/status'), 2 ** 40)
  assert.throws(() => read(root), /its 1099511627776 bytes are more than 64 MiB/)
})

test('links and what is no file lead nowhere outside', async (t) => {
  const outside = rootOf(t, { status: libc })
  const root = rootOf(t, { 'var/lib/dpkg/none': '' })
  for (const [i, target] of [join(outside, 'status'), `../../../../../../../../../..${outside}/status`].entries())
    symlinkSync(target, join(root, `var/lib/dpkg/status${i}`))
  for (const name of ['status0', 'status1']) {
    const dpkg = join(tempDir(t), 'var/lib/dpkg')
    mkdirSync(dpkg, { recursive: true })
    symlinkSync(join('/elsewhere', name), join(dpkg, 'status'))
    assert.throws(() => read(dirname(dirname(dirname(dpkg)))), /it has no database/)
  }
  const files = filesOfFolders([root])
  assert.equal(files.open('/var/lib/dpkg/status0'), undefined)
  assert.equal(files.open('/var/lib/dpkg/status1'), undefined)
  assert.equal((await command(['mkfifo', join(root, 'var/lib/dpkg/status')])).code, 0)
  assert.throws(() => read(root), /it has no database/)
  const looped = rootOf(t, { 'var/lib/none': '' })
  symlinkSync('dpkg', join(looped, 'var/lib/dpkg'))
  assert.throws(() => read(looped), /\/var\/lib\/dpkg\/status: it leads through more than 40 symbolic links/)
})
