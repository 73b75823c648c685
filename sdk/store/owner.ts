import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { bootID, isAlive, startTimeOf } from '../namespace/process.js'

/** Who made an unfinished thing or holds a lock: one process of one boot, so that a pid used again is not mistaken. */
export interface Owner {
  readonly pid: number
  /** Field 22 of /proc/<pid>/stat: clock ticks since boot. */
  readonly startTime: string
  /** The first eight digits of the boot ID: enough beside pid and start time, and short. */
  readonly boot: string
  /** Inode number of the pid namespace that `pid` counts in. */
  readonly pidNamespace: string
}

/** This process. */
export function self(): Owner {
  known ??= {
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? '0',
    boot: bootID().slice(0, 8),
    pidNamespace: pidNamespace(),
  }
  return known
}

/**
 * True only when the owner provably does not run any more: another boot, no such process, or the pid belongs to a
 * younger one. A process of another pid namespace can be judged from the initial one alone; elsewhere it counts as alive.
 */
export function isGone(owner: Owner): boolean {
  const { boot, pidNamespace: here } = self()
  if (owner.boot !== boot) return true
  if (owner.pidNamespace === here) return !isAlive({ ...owner, bootID: bootID() })
  return here === initialPidNamespace && !runsBelow(owner)
}

let known: Owner | undefined

/** PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h, the same on every Linux. */
const initialPidNamespace = '4026531836'

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

/** Looks through all processes for one that has this pid in its own namespace (`NSpid` of proc_pid_status(5)). */
function runsBelow(owner: Owner): boolean {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || startTimeOf(Number(name)) !== owner.startTime) continue
    const inner = /^NSpid:.*\s(\d+)$/m.exec(statusOf(name))?.[1]
    if (Number(inner) === owner.pid) return true
  }
  return false
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1')
  } catch {
    return ''
  }
}
