import { readFileSync } from 'node:fs'

/** A process that can be told from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number
  /** Field 22 of /proc/<pid>/stat: clock ticks since boot. */
  readonly startTime: string
  readonly bootID: string
}

/** When a process started, in clock ticks since boot; undefined when there is none, or a dead one nobody waited for. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name, field 2, may hold blanks and brackets (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** The kernel's random name for this boot (random(4)). */
export function bootID(): string {
  known ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  return known
}

let known: string | undefined

export function isAlive({ pid, startTime, bootID: boot }: ProcessIdentity): boolean {
  return boot === bootID() && startTimeOf(pid) === startTime
}
