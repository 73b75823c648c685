import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { canonicalJson, parseJson } from '../image/config.js'
import { mediaTypes } from '../image/descriptor.js'
import { isRealRoot } from '../namespace/inside.js'
import type { OverlayDriver } from '../namespace/overlay.js'
import { runDirectory } from '../namespace/run-directory.js'
import { createFile } from './temporary.js'

/**
 * Where images, layers and containers live on this machine.
 *
 * Every change is one rename(2): a process may be killed at any instant, and the next one finds the old state or the
 * new. Blobs, index.json and the records of new containers are flushed (fdatasync) before they become visible, so that
 * a power cut cannot leave half of one; edits of a container's record and the files of unpacked layers are not, for
 * that would cost more than the work itself: after a power cut the last seconds of edits may be missing, and
 * `builder check --deep` tells whether a layer is whole. A store belongs to one machine: locks judge processes.
 */
export interface Store {
  /** An OCI image layout with `layers/`, `containers/`, `cache/`, `tmp/` and `locks/` beside it; absolute, no links. */
  readonly root: string
  /** For what is worth nothing after a reboot: pids, sockets, bundles; private to the user. */
  readonly runroot: string
  /** How roots are mounted; absent: `BUILDER_STORAGE_DRIVER`, else the first that works. */
  readonly driver?: OverlayDriver
}

/** Overrides for where the store is; relative paths start at the working directory. */
export interface StoreOptions {
  readonly root?: string
  readonly runroot?: string
  /** `vfs`, buildah's word, is `copy`. */
  readonly storageDriver?: OverlayDriver | 'vfs'
}

/**
 * Opens the store, and makes it when it is not there.
 *
 * Root: `options.root`, `BUILDER_ROOT`, `$XDG_DATA_HOME/builder` (`/var/lib/builder` for root). Run root:
 * `options.runroot`, `$XDG_RUNTIME_DIR/builder`, `/run/user/<uid>/builder`, `/tmp/builder-<uid>` (`/run/builder` for
 * root), and in it a folder of its own for a store that is not the default one.
 *
 * Throws `INVALID` when the folder holds something else or an unknown layout version, `UNSAFE` when the run root
 * belongs to somebody else, `SYSTEM`.
 */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const asked = options.root || process.env.BUILDER_ROOT || defaultRoot()
  const root = resolve(asked)
  try {
    makeFolders(root)
    const store = { root: realpathSync(root), runroot: '' }
    if (existsSync(join(store.root, 'oci-layout'))) checkVersion(store.root)
    else lay(store.root)
    const driver = options.storageDriver === 'vfs' ? 'copy' : options.storageDriver
    return { ...store, runroot: openRunroot(options, store.root), ...(driver ? { driver } : {}) }
  } catch (error) {
    throw asBuilderError(error, 'open store', root)
  }
}

/** Folders that every store has. */
export const storeFolders = ['blobs/sha256', 'layers', 'containers', 'tmp', 'locks'] as const

/** Where index.json is. Source: OCI image-spec, image-layout.md. */
export function indexPath(store: Pick<Store, 'root'>): string {
  return join(store.root, 'index.json')
}

/**
 * 0700, because layers hold setuid programs that must not be within reach of other users. The file oci-layout comes
 * last: where it is, everything else is.
 */
function lay(root: string): void {
  const known = new Set([...storeFolders.map((name) => name.split('/')[0]), 'cache', 'index.json', 'oci-layout'])
  const strange = readdirSync(root).find((name) => !known.has(name))
  if (strange !== undefined)
    throw new BuilderError('INVALID', {
      operation: 'open store',
      object: root,
      reason: `the folder is not a store: it holds ${JSON.stringify(strange)} but no oci-layout`,
      hint: 'name an empty or a new folder with --root',
    })
  for (const folder of storeFolders) mkdirSync(join(root, folder), { recursive: true, mode: 0o700 })
  const empty = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }
  createFile({ root }, indexPath({ root }), canonicalJson(empty))
  createFile({ root }, join(root, 'oci-layout'), canonicalJson({ imageLayoutVersion: layoutVersion }))
}

const layoutVersion = '1.0.0'

function checkVersion(root: string): void {
  const path = join(root, 'oci-layout')
  const version = (parseJson(readFileSync(path), path) as { imageLayoutVersion?: unknown } | null)?.imageLayoutVersion
  if (version !== layoutVersion)
    throw new BuilderError('INVALID', {
      operation: 'open store',
      object: path,
      reason: `imageLayoutVersion ${JSON.stringify(version)} is not ${layoutVersion}`,
      hint: 'name another folder with --root',
    })
  if (existsSync(join(root, 'locks')) && existsSync(join(root, 'tmp'))) return
  for (const folder of storeFolders) mkdirSync(join(root, folder), { recursive: true, mode: 0o700 })
}

function defaultRoot(): string {
  if (isRealRoot()) return '/var/lib/builder'
  const data = process.env.XDG_DATA_HOME
  return join(data && isAbsolute(data) ? data : join(homedir(), '.local/share'), 'builder')
}

function openRunroot(options: StoreOptions, root: string): string {
  const base = runDirectory(options.runroot)
  claim(base)
  if (root === defaultRoot()) return base
  const name = shortHash(root)
  // The run root of a store that is open names its own.
  if (basename(base) === name) return base
  const own = join(base, name)
  claim(own)
  return own
}

/** FNV-1a of 64 bits: tells folders apart, and needs no module that takes milliseconds to load. */
function shortHash(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}

/** Node's own recursive mkdir never ends where the kernel says that a folder cannot be there, as in /proc. */
function makeFolders(folder: string): void {
  if (existsSync(folder)) return
  makeFolders(dirname(folder))
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Makes a private folder, or accepts it only when it is a real folder of this user: /tmp is everybody's. */
function claim(folder: string): void {
  makeFolders(folder)
  const found = lstatSync(folder)
  if (found.isDirectory() && found.uid === process.geteuid?.()) return
  throw new BuilderError('UNSAFE', {
    operation: 'open store',
    object: folder,
    reason: 'the run folder does not belong to this user',
    hint: 'choose another one with --runroot, or set XDG_RUNTIME_DIR',
  })
}
