import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { closeDatabase, rpmDatabasePath, settleDatabasePlace } from '../../sdk/distro/rpm-place.js'
import { needs, tempDir } from '../lane.js'

const [modern, old] = ['/usr/lib/sysimage/rpm', '/var/lib/rpm']

function write(root: string, path: string, text = ''): void {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
}

const releases = [
  [undefined, modern],
  ['40', modern],
  ['10', modern],
  ['rawhide', modern],
  ['9', old],
  ['9-stream', old],
  ['35', old],
  ['2023.5', old],
] as const
for (const [releasever, place] of releases)
  test(`an empty root of release ${releasever} has its database in ${place}`, (t) =>
    assert.equal(rpmDatabasePath(tempDir(t), releasever), place))

test('a database that is there counts more than the release, and macros more than that', (t) => {
  const root = tempDir(t)
  write(root, `${old}/rpmdb.sqlite`)
  assert.equal(rpmDatabasePath(root, '40'), old)
  write(root, '/usr/lib/rpm/macros', '%_var /v\n%_dbpath\t\t%{_usr}/lib/sysimage/rpm\n')
  assert.equal(rpmDatabasePath(root, '40'), modern)
})

test('a link is read as the container reads it', (t) => {
  const root = tempDir(t)
  write(root, '/opt/rpm/rpmdb.sqlite')
  mkdirSync(join(root, 'var/lib'), { recursive: true })
  symlinkSync('/opt/rpm', join(root, 'var/lib/rpm'))
  assert.equal(rpmDatabasePath(root, '9'), '/opt/rpm')
})

test('the database goes where the packages say that rpm looks', (t) => {
  const root = tempDir(t)
  write(root, `${modern}/rpmdb.sqlite`, 'database')
  assert.equal(settleDatabasePlace(root, modern), modern)
  write(root, '/usr/lib/rpm/macros', '%_dbpath %{_var}/lib/rpm\n')
  assert.equal(settleDatabasePlace(root, modern), old)
  assert.equal(readFileSync(join(root, old, 'rpmdb.sqlite'), 'utf8'), 'database')
  assert.equal(existsSync(join(root, modern)), false)
})

test('a closed database is in no mode that writes beside it', (t) => {
  if (!needs(t, 'python3')) return
  const folder = tempDir(t)
  const python = (script: string) =>
    execFileSync('python3', ['-c', `import sqlite3\nd = sqlite3.connect('rpmdb.sqlite')\n${script}`], {
      cwd: folder,
      encoding: 'utf8',
    })
  python("d.execute('PRAGMA journal_mode=wal')\nd.execute('CREATE TABLE t (a)')\nd.commit()")
  writeFileSync(join(folder, '.rpm.lock'), '')
  closeDatabase(folder)
  assert.deepEqual(readdirSync(folder), ['rpmdb.sqlite'])
  assert.equal(
    python(
      "print(d.execute('PRAGMA journal_mode').fetchone()[0], d.execute('PRAGMA integrity_check').fetchone()[0], d.execute('SELECT count(*) FROM t').fetchone()[0])",
    ),
    'delete ok 0\n',
  )
  writeFileSync(join(folder, 'rpmdb.sqlite-wal'), 'something')
  assert.throws(() => closeDatabase(folder), { code: 'INVALID', message: /its log is not written back/ })
})
