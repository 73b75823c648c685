import { readFileSync } from 'node:fs'

/** How many files this process may have open at once. Source: proc_pid_limits(5). */
export function descriptorLimit(): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
}
