/** rpm's database in its three forms, with the same 61 packages. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command, removeTree, top } from '../lane.js'

/** A folder that holds `sqlite/rpmdb.sqlite` with its log, and the packages' headers as `headers/1` … `headers/61`. */
export interface RpmDatabases {
  readonly folder: string
  remove(): void
}

/** Builds the packages of many.spec and notes them as installed. Takes about a second. */
export async function rpmDatabases(): Promise<RpmDatabases> {
  const folder = mkdtempSync(join(tmpdir(), 'rpm-databases-'))
  const macros = {
    _topdir: join(folder, 'build'),
    _rpmdir: join(folder, 'rpms'),
    _rpmfilename: '%%{NAME}.rpm',
    _dbpath: join(folder, 'sqlite'),
    _buildshell: '/bin/sh',
    _binary_payload: 'w0.gzdio',
  }
  const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`])
  mkdirSync(join(folder, 'sqlite'))
  await must(['rpmbuild', '-bb', '--quiet', ...defines, join(top, 'test/distro/rpm/many.spec')], folder)
  const files = readdirSync(join(folder, 'rpms')).map((file) => join(folder, 'rpms', file))
  await must(['rpm', ...defines, '-i', '--justdb', '--nodeps', '--noscripts', '--force-debian', ...files], folder)
  mkdirSync(join(folder, 'headers'))
  await must(['python3', '-c', dump, join(folder, 'sqlite/rpmdb.sqlite'), join(folder, 'headers')], folder)
  return { folder, remove: () => removeTree(folder) }
}

const dump = `
import sqlite3, sys
for number, blob in sqlite3.connect(sys.argv[1]).execute('select hnum, blob from Packages'):
    open(f'{sys.argv[2]}/{number}', 'wb').write(blob)
`

/** What the host's rpm prints for each package of a database, sorted. */
export async function queried(dbpath: string, format: string, backend = 'sqlite'): Promise<readonly string[]> {
  const defines = ['--define', `_dbpath ${dbpath}`, '--define', `_db_backend ${backend}`]
  const { stdout } = await must(['rpm', ...defines, '-qa', '--qf', `${format}\\n`], dbpath)
  return stdout.trimEnd().split('\n').sort()
}

/** Writes a folder of headers as Berkeley DB's hash file `Packages`. Its real writer is in perl's DB_File. */
export async function writeBerkeley(headers: string, place: string): Promise<void> {
  await must(['perl', '-e', berkeley, headers, place], headers)
}

const berkeley = `
use DB_File;
tie my %packages, 'DB_File', $ARGV[1], O_RDWR | O_CREAT, 0644, $DB_HASH or die "tie: $!";
$packages{pack('L', 0)} = pack('L', 61);
for my $number (1 .. 61) {
  open my $file, '<:raw', "$ARGV[0]/$number" or die "open: $!";
  local $/;
  $packages{pack('L', $number)} = <$file>;
}
`

/** Writes a folder of headers as an ndb database, after rpm's lib/backend/ndb/rpmpkg.c; no rpm of Debian can. */
export function writeNdb(headers: string, place: string): void {
  const blobs = readdirSync(headers).map((name) => ({ number: Number(name), bytes: readFileSync(join(headers, name)) }))
  const slots = Buffer.alloc(4096)
  for (let at = 0; at < 4096; at += 16) slots.write('Slot', at)
  slots.fill(0, 0, 32).write('RpmP', 0)
  slots.writeUInt32LE(1, 12)
  slots.writeUInt32LE(blobs.length + 1, 16)
  const parts: Buffer[] = [slots]
  let block = 256
  for (const [i, { number, bytes }] of blobs.entries()) {
    const blob = Buffer.alloc(Math.ceil((16 + bytes.length + 12) / 16) * 16)
    blob.write('BlbS', 0)
    blob.writeUInt32LE(number, 4)
    blob.writeUInt32LE(bytes.length, 12)
    bytes.copy(blob, 16)
    blob.writeUInt32LE(bytes.length, blob.length - 8)
    blob.write('BlbE', blob.length - 4)
    // One slot stays free, as after a package was removed.
    const slot = 16 * (i + 3)
    for (const [j, value] of [number, block, blob.length / 16].entries()) slots.writeUInt32LE(value, slot + 4 + 4 * j)
    block += blob.length / 16
    parts.push(blob)
  }
  writeFileSync(place, Buffer.concat(parts))
}

/** Leaves the removal of a package in a write-ahead log, as a killed rpm does, and copies both files. */
export async function removeInLog(database: string, into: string): Promise<void> {
  await must(['python3', '-c', remove, database, into], into)
}

const remove = `
import shutil, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute('pragma journal_mode = wal')
database.execute('pragma wal_autocheckpoint = 0')
database.execute('delete from Packages where hnum = 1')
database.execute('vacuum')
for end in ('', '-wal'):
    shutil.copy(sys.argv[1] + end, sys.argv[2] + '/rpmdb.sqlite' + end)
`

async function must(argv: readonly string[], home: string) {
  const ran = await command(argv, { env: { HOME: home, LC_ALL: 'C.UTF-8', SOURCE_DATE_EPOCH: '1700000000' } })
  if (ran.code !== 0) throw new Error(`${argv[0]}: ${ran.stderr}${ran.stdout}`)
  return ran
}
