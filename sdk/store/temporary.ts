import { closeSync, fdatasyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asBuilderError } from '../errors.js'
import { isGone, self } from './owner.js'
import { randomHex } from './random.js'

/** The part of a store that is needed here: where it is. */
export interface StoreRoot {
  readonly root: string
}

/**
 * A path under `tmp/` that nothing has yet, for a file or a folder. Its name carries the owner
 * (`<pid>-<start time>-<pid namespace>-<boot>-<random>`), so that another process can tell when nobody wants it any more.
 */
export function temporaryPath(store: StoreRoot): string {
  const { pid, startTime, pidNamespace, boot } = self()
  return join(store.root, 'tmp', `${pid}-${startTime}-${pidNamespace}-${boot}-${randomHex(8)}`)
}

/** Makes a private folder under `tmp/`; whoever asks for it removes it. Throws system errors. */
export function temporaryFolder(store: StoreRoot): string {
  const folder = temporaryPath(store)
  mkdirSync(folder, { mode: 0o700 })
  return folder
}

/** True for a name under `tmp/` whose owner is gone, and for one that builder did not make. */
export function isAbandoned(name: string): boolean {
  const [pid = '', startTime = '', pidNamespace = '', boot = '', random = ''] = name.split('-')
  if (!/^\d+$/.test(pid) || random === '') return true
  return isGone({ pid: Number(pid), startTime, pidNamespace, boot })
}

/** How a file is written. */
export interface WriteOptions {
  /** Force the content to the disk before the file becomes visible; a kill needs none of it, a power cut does. */
  readonly flush?: boolean
}

/** Replaces a file as one step: a reader sees the old content or the new. Throws `SYSTEM`. */
export function replaceFile(
  store: StoreRoot,
  path: string,
  content: string | Uint8Array,
  options: WriteOptions = {},
): void {
  publish(store, path, content, options, renameSync)
}

/** Makes a file that must not exist yet as one step; false when it is there already. Throws `SYSTEM`. */
export function createFile(store: StoreRoot, path: string, content: string | Uint8Array): boolean {
  try {
    publish(store, path, content, { flush: true }, (from, to) => {
      linkSync(from, to)
      rmSync(from, { force: true })
    })
    return true
  } catch (error) {
    if ((error as { cause?: NodeJS.ErrnoException }).cause?.code === 'EEXIST') return false
    throw error
  }
}

type Move = (from: string, to: string) => void

function publish(
  store: StoreRoot,
  path: string,
  content: string | Uint8Array,
  { flush = false }: WriteOptions,
  move: Move,
): void {
  const unfinished = temporaryPath(store)
  try {
    const file = openSync(unfinished, 'wx', 0o644)
    try {
      writeFileSync(file, content)
      if (flush) fdatasyncSync(file)
    } finally {
      closeSync(file)
    }
    move(unfinished, path)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw asBuilderError(error, 'write', path)
  }
}
