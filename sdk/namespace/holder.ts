import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mountPoints } from './mountinfo.js'
import { isAlive, type ProcessIdentity } from './process.js'
import { isOwn, runDirectory } from './run-directory.js'

/**
 * The small process that keeps a plain user's namespaces alive while containers are mounted: podman's pause process. The
 * launcher starts it under a lock, before the first `mount`; the last `umount` or `rm` ends it, whatever the store. It runs no code of builder.
 */
export type Holder = ProcessIdentity

/** The user's holder, if one lives. Its file has three words: pid, start time, boot ID. */
export function findHolder(runroot?: string): Holder | undefined {
  try {
    const [pid = '0', startTime = '', bootID = ''] = readFileSync(fileOf(runroot), 'latin1').trim().split(' ')
    const holder = { pid: Number(pid), startTime, bootID }
    return isAlive(holder) ? holder : undefined
  } catch {
    return undefined
  }
}

/** Whether this process lives in the holder's mount namespace. */
export function isHolderNamespace({ pid }: Holder): boolean {
  try {
    return statSync(`/proc/${pid}/ns/mnt`).ino === statSync('/proc/self/ns/mnt').ino
  } catch {
    return false
  }
}

/** A path of the holder's mount namespace as the same user reaches it from anywhere. Source: proc(5), `/proc/pid/root`. */
export function holderPath({ pid }: Holder, path: string): string {
  return `/proc/${pid}/root${path}`
}

/**
 * Ends the holder unless a container of this user is mounted in its namespace, from whichever store, or a `mount` is
 * under way. Nothing happens when there is none.
 */
export function endHolder(runroot?: string): void {
  if (!findHolder(runroot)) return
  const inherited = process.env.BUILDER_HOLDER_LOCK
  const lock = inherited ? Number(inherited) : openSync(`${fileOf(runroot)}.lock`, 'a', 0o600)
  try {
    const holder = lockAlone(lock) ? findHolder(runroot) : undefined
    if (holder && !isUsed(holder)) end(holder, fileOf(runroot))
  } finally {
    if (!inherited) closeSync(lock)
  }
}

/** The launcher of every `mount` shares the lock for as long as it runs, and gives the verb its descriptor. */
function lockAlone(lock: number): boolean {
  const { status } = spawnSync('flock', ['-x', '-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', lock] })
  return status === 0
}

/** The namespace also has what was mounted on the machine before, such as the containers of root's builder. */
function isUsed({ pid }: Holder): boolean {
  try {
    return mountPoints(pid).some((path) => /\/containers\/[0-9a-f]{64}\/merged$/.test(path) && isOwn(dirname(path)))
  } catch {
    return true
  }
}

function end({ pid }: Holder, file: string): void {
  rmSync(file, { force: true })
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

function fileOf(runroot: string | undefined): string {
  return join(runDirectory(runroot), 'holder')
}
