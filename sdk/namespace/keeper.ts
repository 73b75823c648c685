import { readFileSync, readlinkSync } from 'node:fs'
import { findHolder, isHolderNamespace } from './holder.js'
import { bootID, type ProcessIdentity, startTimeOf } from './process.js'

/**
 * The process with which this mount namespace ends: the holder in the holder's, else this process' oldest ancestor that
 * lives in it, as the script or the `builder unshare` that made it. Another session can see that it lives, while it may
 * not look into namespaces that are not below its own (namespaces(7), ptrace(2)).
 */
export function namespaceKeeper(): ProcessIdentity {
  const holder = findHolder()
  if (holder && isHolderNamespace(holder)) return holder
  let pid = process.pid
  for (let parent = parentOf(pid); parent > 0 && isHere(parent); parent = parentOf(pid)) pid = parent
  return { pid, startTime: startTimeOf(pid) ?? '', bootID: bootID() }
}

function isHere(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt')
  } catch {
    return false
  }
}

/** Field 4 of /proc/<pid>/stat; 0 when there is none. Source: proc_pid_stat(5). */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0
  }
}
