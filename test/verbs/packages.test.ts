import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { cycloneDxDocument, packages, spdxDocument } from '../../sdk/index.js'
import { builder, tempDir } from '../lane.js'
import { refuses, said } from './cases.js'

const paragraph = (name: string, version: string) => `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\n\n`

/** `c` is a container on `two`, which has a layer above that of `one`. */
before(async (t) => {
  const folder = tempDir(t as TestContext)
  for (const name of ['var/lib/dpkg', 'etc', 'usr/lib']) mkdirSync(join(folder, name), { recursive: true })
  const status = join(folder, 'var/lib/dpkg/status')
  writeFileSync(status, paragraph('base-files', '12.4') + paragraph('evil\u001b[31m', '1'))
  writeFileSync(join(folder, 'usr/lib/os-release'), 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n')
  symlinkSync('../usr/lib/os-release', join(folder, 'etc/os-release'))
  await said('from', '--name', 'b', 'scratch')
  await said('copy', '-q', 'b', folder, '/')
  await said('commit', '--source-date-epoch', '1700000000', 'b', 'one')
  writeFileSync(status, paragraph('base-files', '1:12.5-1+deb12u1'))
  await said('copy', '-q', 'b', status, '/var/lib/dpkg/status')
  await said('commit', '--source-date-epoch', '1700000000', 'b', 'two')
  await said('from', '--name', 'c', 'two')
  await said('from', '--name', 'empty', 'scratch')
  await said('from', '--name', 'bad', 'scratch')
  writeFileSync(status, 'hello\n')
  await said('copy', '-q', 'bad', status, '/var/lib/dpkg/status')
})

test('a table for people, of the topmost database, and nothing that could write to the terminal', async () => {
  assert.equal(
    await said('packages', 'two'),
    'NAME         VERSION            ARCH    SIZE   LICENSE\nbase-files   1:12.5-1+deb12u1   amd64',
  )
  assert.equal(await said('packages', '-n', 'c'), 'base-files   1:12.5-1+deb12u1   amd64')
  assert.equal(await said('packages', '--format', '{{.Name}} {{.Epoch}}.', 'one'), 'base-files .\nevil\\x1b[31m .')
})

test('JSON says what was read, and what it is of', async () => {
  const list = JSON.parse(await said('packages', '--format', 'json', 'one'))
  assert.match(list.of.id, /^[0-9a-f]{64}$/)
  assert.deepEqual(
    { ...list, of: { ...list.of, id: '' } },
    {
      of: { type: 'image', name: 'localhost/one:latest', id: '', created: '2023-11-14T22:13:20Z' },
      distribution: { id: 'debian', version: '12', name: 'Debian 12' },
      databases: [{ path: '/var/lib/dpkg/status', kind: 'dpkg' }],
      packages: list.packages,
    },
  )
  const [first] = list.packages
  assert.equal(first.purl, 'pkg:deb/debian/base-files@12.4?arch=amd64&distro=debian-12')
})

test('the same image gives the same documents, whenever and wherever', async () => {
  for (const format of ['spdx', 'cyclonedx']) {
    const one = await said('packages', '--format', format, 'two')
    const env = { SOURCE_DATE_EPOCH: '5', TZ: 'Asia/Tokyo', LANG: 'tr_TR.UTF-8' }
    const { stdout } = await builder(['packages', '--format', format, 'two'], { env })
    assert.equal(stdout, `${one}\n`)
    assert.match(one, /2023-11-14T22:13:20Z/)
    assert.match(one, /pkg:deb\/debian\/base-files@1:12\.5-1%2Bdeb12u1\?arch=amd64&distro=debian-12/)
  }
})

test('in a session it is the same', async () => {
  const [direct, within] = await Promise.all([
    said('packages', '--format', 'spdx', 'two'),
    said('unshare', 'sh', '-c', '"$0" packages --format spdx two', join(process.cwd(), 'bin/builder')),
  ])
  assert.equal(within, direct)
})

test('the TypeScript door gives the same', async (t) => {
  const store = tempDir(t)
  const places = { root: join(store, 'root'), runroot: join(store, 'run') }
  const folder = join(store, 'files')
  mkdirSync(join(folder, 'var/lib/dpkg/status.d'), { recursive: true })
  writeFileSync(join(folder, 'var/lib/dpkg/status.d/tzdata'), paragraph('tzdata', '2024a-0'))
  for (const words of [
    ['from', '--name', 'd', 'scratch'],
    ['copy', '-q', 'd', folder, '/'],
    ['commit', '-q', 'd', 'i'],
  ])
    assert.equal((await builder(words, { store })).code, 0)
  const list = await packages('i', places)
  assert.deepEqual(
    list.packages.map(({ name, purl }) => [name, purl]),
    [['tzdata', 'pkg:deb/tzdata@2024a-0?arch=amd64']],
  )
  const print = async (format: string) =>
    JSON.parse((await builder(['packages', '--format', format, 'i'], { store })).stdout)
  assert.deepEqual(await print('json'), list)
  assert.deepEqual(await print('spdx'), JSON.parse(JSON.stringify(spdxDocument(list))))
  assert.deepEqual(await print('cyclonedx'), JSON.parse(JSON.stringify(cycloneDxDocument(list))))
  await assert.rejects(packages('gone', places), { code: 'NOT_FOUND' })
})

refuses([
  [['packages', 'nothing-like-it'], /has this name; builder containers and builder images list them/],
  [['packages', 'tow'], /^builder: packages tow: no container or image has this name; did you mean two\?/],
  [
    ['packages', 'empty'],
    /^builder: packages empty: it has no database of packages: looked for \/usr\/lib\/sysimage\/rpm, /,
  ],
  [
    ['packages', 'bad'],
    /^builder: read packages \/var\/lib\/dpkg\/status: the database is damaged: the line "hello" is no field; make/,
  ],
  [
    ['packages', '--format', 'cyclondx', 'two'],
    /^builder: packages --format "cyclondx": there is no such format; did you mean cyclonedx\?/,
  ],
  [
    ['packages', '--format', 'xml', 'two'],
    /there is no such format; write table, json, spdx, cyclonedx, or a Go template such as '\{\{\.Name\}\} /,
  ],
  [['packages', '--format', '{{.Nope}}', 'two'], /there is no field \.Nope; did you mean \.Name\?/],
  [['packages'], /^builder: packages NAME: it is missing \(Name or ID of a container or an image\)/],
])
