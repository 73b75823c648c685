import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { fullVersion, type InstalledPackage } from '../../sdk/distro/installed-package.js'
import { type Installed, installedPackages } from '../../sdk/distro/installed-packages.js'
import { BuilderError } from '../../sdk/errors.js'
import { filesOfFolders } from '../../sdk/store/image-files.js'
import { command, needs, tempDir } from '../lane.js'
import { queried, type RpmDatabases, removeInLog, rpmDatabases, writeBerkeley, writeNdb } from './rpm-databases.js'

let made: RpmDatabases
let said: readonly string[]

before(async () => {
  made = await rpmDatabases()
  said = await queried(join(made.folder, 'sqlite'), format)
})
after(() => made.remove())

const tags = [
  'NAME',
  'EPOCHNUM',
  'VERSION',
  'RELEASE',
  'ARCH',
  'SIZE',
  'LICENSE',
  'VENDOR',
  'PACKAGER',
  'SUMMARY',
  'URL',
]
const format = [...tags, 'INSTALLTIME', 'SOURCERPM', 'SHA256HEADER'].map((tag) => `%{${tag}}`).join('|')

/** What is listed, in the words of `format`. */
function listed({ packages }: Installed): readonly string[] {
  return packages.map(inFormat).sort()
}

function inFormat(one: InstalledPackage): string {
  const { name, epoch = 0, version, release, arch, size, license, vendor, maintainer, summary, homepage } = one
  const installed = Date.parse(one.installed ?? '') / 1000
  const source = `${one.source}-${one.sourceVersion}.src.rpm`
  const first = [name, epoch, version, release, arch, size, license, vendor, maintainer, summary, homepage]
  return [...first, installed, source, one.headerDigest?.replace('sha256:', '')].join('|')
}

function read(root: string): Installed {
  return installedPackages(filesOfFolders([root]), 'it')
}

/** An image with a file in the newer of rpm's folders. */
function rootWith(t: TestContext, name: string, content?: Uint8Array | string): string {
  const root = tempDir(t)
  mkdirSync(join(root, 'usr/lib/sysimage/rpm'), { recursive: true })
  if (content !== undefined) writeFileSync(join(root, 'usr/lib/sysimage/rpm', name), content)
  return root
}

function sqlite(): Buffer {
  return readFileSync(join(made.folder, 'sqlite/rpmdb.sqlite'))
}

describe('what rpm says', () => {
  test('of an SQLite database', (t) => {
    const list = read(rootWith(t, 'rpmdb.sqlite', sqlite()))
    assert.equal(list.packages.length, 61)
    assert.deepEqual(listed(list), said)
    assert.deepEqual(list.databases, [{ path: '/usr/lib/sysimage/rpm/rpmdb.sqlite', kind: 'rpm-sqlite' }])
  })

  test('of one with a write-ahead log that nobody has merged', async (t) => {
    if (!needs(t, 'python3')) return
    const root = rootWith(t, 'rpmdb.sqlite')
    const copy = join(tempDir(t), 'rpmdb.sqlite')
    writeFileSync(copy, sqlite())
    const place = join(root, 'usr/lib/sysimage/rpm')
    await removeInLog(copy, place)
    const list = read(root)
    assert.equal(list.packages.length, 60)
    assert.deepEqual(listed(list), await queried(place, format))
  })

  test('of one in Berkeley DB’s form, and rpm itself reads that too', async (t) => {
    if (!needs(t, 'perl')) return
    const root = rootWith(t, 'Packages')
    const place = join(root, 'usr/lib/sysimage/rpm')
    await writeBerkeley(join(made.folder, 'headers'), join(place, 'Packages'))
    assert.deepEqual(listed(read(root)), said)
    assert.deepEqual(await queried(place, format, 'bdb_ro'), said)
    assert.equal(read(root).databases[0]?.kind, 'rpm-bdb')
  })

  test('of one in SUSE’s form', (t) => {
    const root = rootWith(t, 'Packages.db')
    writeNdb(join(made.folder, 'headers'), join(root, 'usr/lib/sysimage/rpm/Packages.db'))
    assert.deepEqual(listed(read(root)), said)
    assert.equal(read(root).databases[0]?.kind, 'rpm-ndb')
  })

  test('through the link that the older place is, and once', (t) => {
    const root = rootWith(t, 'rpmdb.sqlite', sqlite())
    mkdirSync(join(root, 'var/lib'), { recursive: true })
    cpSync(join(root, 'usr/lib/sysimage/rpm'), join(root, 'db'), { recursive: true })
    symlinkSync('../../usr/lib/sysimage/rpm', join(root, 'var/lib/rpm'))
    assert.equal(read(root).packages.length, 61)
    const older = tempDir(t)
    mkdirSync(join(older, 'var/lib'), { recursive: true })
    cpSync(join(root, 'db'), join(older, 'db'), { recursive: true })
    symlinkSync('/db', join(older, 'var/lib/rpm'))
    assert.deepEqual(read(older).databases, [{ path: '/db/rpmdb.sqlite', kind: 'rpm-sqlite' }])
  })
})

test('a package URL has namespace, epoch and distribution from the image', (t) => {
  const root = rootWith(t, 'rpmdb.sqlite', sqlite())
  const urls = () => read(root).packages.map(({ purl }) => purl)
  assert.ok(urls().includes('pkg:rpm/many-p7@1.0-1?arch=noarch&epoch=7'))
  mkdirSync(join(root, 'etc'))
  writeFileSync(
    join(root, 'etc/os-release'),
    'NAME="Fedora"\nID=fedora\nVERSION_ID=40\nPRETTY_NAME="Fedora Linux 40"\n',
  )
  assert.ok(urls().includes('pkg:rpm/fedora/many-p7@1.0-1?arch=noarch&distro=fedora-40&epoch=7'))
  assert.deepEqual(read(root).distribution, { id: 'fedora', version: '40', name: 'Fedora Linux 40' })
  writeFileSync(join(root, 'etc/os-release'), "ID='rhel'\nVERSION_ID='9.4'\n")
  assert.ok(urls().includes('pkg:rpm/redhat/many-p7@1.0-1?arch=noarch&distro=rhel-9.4&epoch=7'))
  const [seventh] = read(root).packages.filter(({ name }) => name === 'many-p7')
  assert.equal(seventh && fullVersion(seventh), '7:1.0-1')
})

test('a view that never ends is no table', async (t) => {
  if (!needs(t, 'python3')) return
  const root = rootWith(t, 'rpmdb.sqlite')
  const endless = 'with recursive n(i) as (select 1 union all select i + 1 from n) select i as hnum, i as blob from n'
  const script = `import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('create view Packages as ${endless}')`
  const made = await command(['python3', '-c', script, join(root, 'usr/lib/sysimage/rpm/rpmdb.sqlite')])
  assert.equal(made.code, 0, made.stderr)
  assert.throws(() => read(root), /it has no table Packages/)
})

/** What is wrong with a file, and what a user reads. */
const damages: readonly (readonly [what: string, name: string, content: () => Uint8Array | string, says: RegExp])[] = [
  [
    'text',
    'rpmdb.sqlite',
    () => 'hello',
    /^read packages \/usr\/lib\/sysimage\/rpm\/rpmdb\.sqlite: the database is damaged: it is not SQLite; make/,
  ],
  ['a cut file', 'rpmdb.sqlite', () => sqlite().subarray(0, 20_000), /it has no page \d+/],
  ['a file of a header alone', 'rpmdb.sqlite', () => sqlite().subarray(0, 100), /it has no page 1/],
  [
    'a page size of 3',
    'rpmdb.sqlite',
    () => changed(sqlite(), (b) => b.writeUInt16BE(3, 16)),
    /its pages have 3 bytes/,
  ],
  [
    'no table',
    'rpmdb.sqlite',
    () => Buffer.from(sqlite().toString('latin1').replaceAll('tablePackages', 'tableXackages'), 'latin1'),
    /it has no table Packages/,
  ],
  ['a tree that leads to no page', 'rpmdb.sqlite', () => looping(sqlite(), 0), /it has no page 0/],
  [
    'a tree that leads behind the file',
    'rpmdb.sqlite',
    () => looping(sqlite(), 0xffffffff),
    /it has no page 4294967295/,
  ],
  ['a tree that leads to itself', 'rpmdb.sqlite', () => looping(sqlite()), /page \d+ is used twice/],
  ['other database', 'Packages', () => 'x'.repeat(9000), /it is not a hash file of Berkeley DB/],
  ['a cut Berkeley DB', 'Packages', () => berkeleyMeta(), /it is shorter than it says/],
  ['other ndb', 'Packages.db', () => 'x'.repeat(9000), /it is not an ndb database/],
  [
    'a cut ndb',
    'Packages.db',
    () => Buffer.concat([Buffer.from('RpmP\0\0\0\0\0\0\0\0\xff\xff\0\0', 'latin1'), Buffer.alloc(16)]),
    /it is shorter than it says/,
  ],
  [
    'a header bomb',
    'Packages.db',
    () => ndbOf(claiming(0xfffffff0, 8)),
    /a header of 64 bytes claims 4294967280 entries and 8 bytes of data/,
  ],
  [
    'a header that claims data',
    'Packages.db',
    () => ndbOf(claiming(1, 0x7fffffff)),
    /claims 1 entries and 2147483647 bytes/,
  ],
  ['a package without a name', 'Packages.db', () => ndbOf(claiming(1, 8)), /a package has no name/],
  [
    'a text behind the header',
    'Packages.db',
    () => ndbOf(claiming(1, 8, 1000, 6, 0x7fffffff)),
    /a text in a header does not end/,
  ],
  [
    'a blob of 4 GiB',
    'Packages.db',
    () => changed(ndbOf(claiming(1, 8)), (b) => b.writeUInt32LE(0xffffffff, 4096 + 12)),
    /package 1 has 4294967295 bytes/,
  ],
]

for (const [what, name, content, says] of damages)
  test(`${name}, ${what}: says so`, (t) => {
    const root = rootWith(t, name, content())
    assert.throws(
      () => read(root),
      (error: Error & { code?: string }) => {
        assert.match(error.message, says)
        assert.equal(error.code, 'INVALID')
        return true
      },
    )
  })

for (const name of ['rpmdb.sqlite', 'Packages', 'Packages.db'])
  test(`${name} with any bytes changed: a list, or a message`, async (t) => {
    if (!needs(t, 'perl')) return
    const root = rootWith(t, name)
    const place = join(root, 'usr/lib/sysimage/rpm', name)
    if (name === 'rpmdb.sqlite') writeFileSync(place, sqlite())
    else if (name === 'Packages') await writeBerkeley(join(made.folder, 'headers'), place)
    else writeNdb(join(made.folder, 'headers'), place)
    const whole = readFileSync(place)
    const random = randomNumbers(name.length)
    for (let i = 0; i < 60; i++) {
      const bytes = Buffer.from(whole)
      // Half of the changes are where the structure is: at the beginning of pages.
      for (let change = 0; change < 12; change++) {
        const at = change % 2 ? random(bytes.length) : random(bytes.length / 4096) * 4096 + random(40)
        bytes[at] = random(256)
      }
      writeFileSync(place, i % 10 ? bytes : bytes.subarray(0, random(bytes.length)))
      try {
        assert.ok(read(root).packages.length <= 200)
      } catch (error) {
        assert.ok(error instanceof BuilderError && error.code === 'INVALID', String(error))
      }
    }
  })

/** The same numbers in every run: xorshift32. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % Math.max(1, Math.floor(below))
  }
}

function changed(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  change(bytes)
  return bytes
}

/** Every page that has pages below it has itself, or `last`, as its last one. */
function looping(bytes: Buffer, last?: number): Buffer {
  const size = bytes.readUInt16BE(16)
  const pages = Array.from({ length: bytes.length / size }, (_, i) => i).filter((i) => i > 0 && bytes[i * size] === 5)
  for (const page of pages) bytes.writeUInt32BE(last ?? page + 1, page * size + 8)
  return bytes
}

test('an installation time that no calendar has is left out', (t) => {
  // Two tags: a name, and a time of 64 bits.
  const header = Buffer.alloc(64)
  const words = [2, 16, 1000, 6, 0, 1, 1008, 5, 8, 1]
  for (const [i, value] of words.entries()) header.writeUInt32BE(value, 4 * i)
  header.write('late', 40)
  header.fill(0xff, 48, 56)
  const [late] = read(rootWith(t, 'Packages.db', ndbOf(header))).packages
  assert.deepEqual([late?.name, late?.installed], ['late', undefined])
})

function berkeleyMeta(): Buffer {
  const meta = Buffer.alloc(4096)
  meta.writeUInt32LE(0x061561, 12)
  meta.writeUInt32LE(4096, 20)
  meta[25] = 8
  meta.writeUInt32LE(1000, 32)
  return meta
}

/** A header of 64 bytes. */
function claiming(entries: number, length: number, ...entry: readonly number[]): Buffer {
  const header = Buffer.alloc(64)
  for (const [i, value] of [entries, length, ...entry].entries()) header.writeUInt32BE(value, 4 * i)
  return header
}

function ndbOf(header: Buffer): Buffer {
  const file = Buffer.alloc(4096 + 16 + header.length + 16)
  for (let at = 0; at < 4096; at += 16) file.write('Slot', at)
  file.fill(0, 0, 32).write('RpmP', 0)
  file.writeUInt32LE(1, 12)
  for (const [i, value] of [1, 256, 7].entries()) file.writeUInt32LE(value, 36 + 4 * i)
  file.write('BlbS', 4096)
  file.writeUInt32LE(1, 4096 + 4)
  file.writeUInt32LE(header.length, 4096 + 12)
  header.copy(file, 4096 + 16)
  return file
}
