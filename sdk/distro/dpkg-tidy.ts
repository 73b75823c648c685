import { lstatSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesOf, systemPath } from '../layer/names.js'
import { walk } from '../layer/walk.js'
import { setMtime } from '../namespace/libc.js'
import { resolveInRoot } from '../namespace/rooted-path.js'

/**
 * Removes from a system what a transaction left that is of one run, one machine or one moment only: caches, logs, copies of old
 * databases, names of this machine, keys and ids that were made by chance. What was there before stays.
 *
 * @param repository - The folder that the packages came from: no source of the image may name it.
 */
export function tidySystem(root: string, repository: string, since: Moment): void {
  const drop = (path: string) => {
    const info = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    if (info && info.ctimeNs >= since.nanoseconds) rmSync(path, { recursive: true, force: true })
  }
  for (const path of gone) drop(place(root, path))
  for (const [folder, pattern] of goneIn)
    for (const name of namesIn(root, folder)) if (pattern.test(name)) drop(join(place(root, folder), name))
  if (isFile(root, machineID) && textAt(root, machineID) !== '') emptyFile(place(root, machineID), since)
  if (textAt(root, '/etc/apt/sources.list').includes(repository)) drop(place(root, '/etc/apt/sources.list'))
  if (!isFile(root, '/var/lib/dpkg/info/apt.list')) for (const path of foldersOfApt) removeEmpty(root, path)
}

const gone: readonly string[] = [
  '/var/cache/ldconfig/aux-cache',
  '/var/cache/apt/pkgcache.bin',
  '/var/cache/apt/srcpkgcache.bin',
  '/var/lib/apt/extended_states',
  '/var/lib/dpkg/lock',
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/triggers/Lock',
  '/var/lib/dbus/machine-id',
  '/var/lib/systemd/random-seed',
  '/var/lib/systemd/catalog/database',
  '/var/log/alternatives.log',
  '/var/log/bootstrap.log',
  '/var/log/dpkg.log',
  '/var/log/fontconfig.log',
  '/etc/.pwd.lock',
  '/etc/hostname',
  '/etc/resolv.conf',
  '/etc/ssl/private/ssl-cert-snakeoil.key',
  '/etc/ssl/certs/ssl-cert-snakeoil.pem',
  '/etc/apt/apt.conf.d/99mmdebstrap',
  '/etc/dpkg/dpkg.cfg.d/99mmdebstrap',
]

/** Folder, and what of the names in it. */
const goneIn: readonly (readonly [string, RegExp])[] = [
  ['/etc', /^(passwd|group|shadow|gshadow|subuid|subgid)-$/],
  ['/var/lib/dpkg', /-old$/],
  ['/var/lib/dpkg/updates', /./],
  ['/var/lib/apt/lists', /./],
  ['/var/cache/apt/archives', /./],
  ['/var/cache/debconf', /-old$/],
  ['/var/log/apt', /./],
  ['/etc/ssh', /^ssh_host_.*_key(\.pub)?$/],
  ['/root', /^\.wget-hsts$/],
  ['/tmp', /./],
]

/** systemd-machine-id-setup(1): an empty file is filled at the first start. */
const machineID = '/etc/machine-id'

/** Folders that mmdebstrap made for an apt that is not there. */
const foldersOfApt: readonly string[] = [
  '/etc/apt/apt.conf.d',
  '/etc/apt/preferences.d',
  '/etc/apt/sources.list.d',
  '/etc/apt/trusted.gpg.d',
  '/etc/apt',
  '/var/lib/apt/lists',
  '/var/lib/apt',
  '/var/cache/apt/archives',
  '/var/cache/apt',
  '/var/log/apt',
]

/** A moment of the file system's own clock. */
export interface Moment {
  readonly nanoseconds: bigint
}

/**
 * The moment before a change. File systems tell the time in steps of some milliseconds: two are waited for, so that what was
 * written before is older.
 */
export async function changesSince(folder: string): Promise<Moment> {
  await sleep(20)
  const probe = join(folder, 'moment')
  writeFileSync(probe, '')
  return { nanoseconds: lstatSync(probe, { bigint: true }).ctimeNs }
}

/** What changed since a moment and is younger than the epoch gets the epoch's time; whatever did not change stays. */
export function clampChanges(root: string, since: Moment, epoch: number): void {
  const newest = BigInt(epoch) * 1_000_000_000n
  for (const { path, mtime } of walk(root)) {
    if (mtime <= newest) continue
    if (lstatSync(path, { bigint: true }).ctimeNs >= since.nanoseconds) setMtime(path, newest)
  }
  // Every run comes upon the root at another moment.
  setMtime(systemPath(bytesOf(root)), newest)
}

function place(root: string, path: string): string {
  return join(resolveInRoot(root, dirname(path)), path.slice(path.lastIndexOf('/') + 1))
}

function isFile(root: string, path: string): boolean {
  return lstatSync(place(root, path), { throwIfNoEntry: false })?.isFile() ?? false
}

function textAt(root: string, path: string): string {
  return isFile(root, path) ? readFileSync(place(root, path), 'latin1') : ''
}

function emptyFile(path: string, since: Moment): void {
  if (lstatSync(path, { bigint: true }).ctimeNs >= since.nanoseconds) writeFileSync(path, '')
}

function namesIn(root: string, folder: string): readonly string[] {
  const path = place(root, folder)
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(path) : []
}

function removeEmpty(root: string, path: string): void {
  try {
    rmdirSync(place(root, path))
  } catch {
    // It is not there, or something is in it.
  }
}
