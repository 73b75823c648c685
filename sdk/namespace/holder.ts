import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity } from './process.js'
import { runDirectory } from './run-directory.js'

/**
 * The small process that keeps a plain user's namespaces alive while containers are mounted: podman's pause process. The
 * launcher starts it under a lock, before the first `mount`; the last `umount` or `rm` ends it. It runs no code of builder.
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

/** Ends the holder; its mounts go with it. Nothing happens when there is none. */
export function endHolder(runroot?: string): void {
  const holder = findHolder(runroot)
  rmSync(fileOf(runroot), { force: true })
  if (holder) process.kill(holder.pid, 'SIGKILL')
}

function fileOf(runroot: string | undefined): string {
  return join(runDirectory(runroot), 'holder')
}
