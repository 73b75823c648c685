import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { BuilderError } from '../errors.js'
import { resolveInRoot } from '../namespace/rooted-path.js'

/**
 * Where the rpm of a root's own distribution looks for its database: what its macros say, else where a database is, else
 * where distributions of that release have it. A path of the root without links. Throws `UNSAFE`.
 */
export function rpmDatabasePath(root: string, releasever: string | undefined): string {
  const said = pathInMacros(root)
  const found = said ?? [modern, old].find((path) => holdsDatabase(resolveInRoot(root, path)))
  return `/${relative(root, resolveInRoot(root, found ?? (isOld(releasever) ? old : modern)))}`
}

/**
 * Moves the database to where the root's macros say that it is, when the packages that were just installed say so. Gives
 * its path in the root.
 */
export function settleDatabasePlace(root: string, path: string): string {
  const said = pathInMacros(root)
  if (said === undefined) return path
  const [from, to] = [join(root, path), resolveInRoot(root, said)]
  if (from === to || !holdsDatabase(from)) return path
  mkdirSync(dirname(to), { recursive: true })
  if (lstatSync(to, { throwIfNoEntry: false }))
    for (const name of readdirSync(from)) renameSync(join(from, name), join(to, name))
  else renameSync(from, to)
  rmSync(from, { recursive: true, force: true })
  return `/${relative(root, to)}`
}

/**
 * Makes a database readable on a read-only root: SQLite opens one in WAL mode only where it may write beside it. The mode is
 * a number in the file's header, right to change once all of the log is in the file. Throws `INVALID` when it is not.
 * Source: "Database File Format", sqlite.org/fileformat2.html, 1.3.2.
 */
export function closeDatabase(folder: string): void {
  const path = join(folder, 'rpmdb.sqlite')
  if (!existsSync(path)) return
  const log = `${path}-wal`
  if (existsSync(log) && statSync(log).size > 0)
    throw new BuilderError('INVALID', { operation: 'close', object: path, reason: 'its log is not written back' })
  for (const name of [log, `${path}-shm`, join(folder, '.rpm.lock'), join(folder, '.keyring.lock')])
    rmSync(name, { force: true })
  const file = openSync(path, 'r+')
  try {
    const versions = Buffer.alloc(2)
    readSync(file, versions, 0, 2, 18)
    if (versions.equals(walMode)) writeSync(file, rollbackMode, 0, 2, 18)
  } finally {
    closeSync(file)
  }
}

const walMode = Buffer.from([2, 2])
const rollbackMode = Buffer.from([1, 1])

const modern = '/usr/lib/sysimage/rpm'
const old = '/var/lib/rpm'

function holdsDatabase(folder: string): boolean {
  return ['rpmdb.sqlite', 'Packages', 'Packages.db'].some((name) => existsSync(join(folder, name)))
}

/** Enterprise Linux up to 9, Amazon Linux, Fedora up to 35. */
function isOld(releasever: string | undefined): boolean {
  const major = Number.parseInt(releasever ?? '', 10)
  return major < 10 || (major >= 20 && major < 36) || major >= 2000
}

/** rpm reads these in order, and the last one counts. */
function pathInMacros(root: string): string | undefined {
  const files = ['/usr/lib/rpm/macros', '/usr/lib/rpm/macros.d', '/etc/rpm'].flatMap((path) => filesIn(root, path))
  const lines = files.flatMap((path) => readFileSync(path, 'latin1').split('\n'))
  const value = lines.map((line) => /^%_dbpath\s+(\S+)/.exec(line)?.[1]).findLast(Boolean)
  const path = value?.replace(/%\{?(_var|_localstatedir|_usr|_prefix)\}?/g, (_, name) => folders[name] ?? '')
  return path?.startsWith('/') && !path.includes('%') ? path : undefined
}

const folders: Readonly<Record<string, string>> = {
  _var: '/var',
  _localstatedir: '/var',
  _usr: '/usr',
  _prefix: '/usr',
}

function filesIn(root: string, path: string): string[] {
  const at = resolveInRoot(root, path)
  const found = lstatSync(at, { throwIfNoEntry: false })
  if (found?.isFile()) return [at]
  if (!found?.isDirectory()) return []
  const names = readdirSync(at)
    .filter((name) => name.startsWith('macros'))
    .sort()
  return names
    .map((name) => resolveInRoot(root, join(path, name)))
    .filter((file) => lstatSync(file, { throwIfNoEntry: false })?.isFile())
}
