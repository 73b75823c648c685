import { readFileSync, realpathSync } from 'node:fs'

/** Mount points of this mount namespace, in the order of their mounting. Source: proc_pid_mountinfo(5), field 5. */
export function mountPoints(): string[] {
  const rows = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return rows.flatMap((row) => {
    const path = row.split(' ')[4]
    return path === undefined
      ? []
      : [path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))]
  })
}

/** Whether something is mounted exactly there, in this mount namespace. */
export function isMountPoint(path: string): boolean {
  return mountPoints().includes(real(path))
}

/** What is mounted at a path or below it, the deepest last. */
export function mountsBelow(path: string): string[] {
  const top = real(path)
  return mountPoints().filter((point) => point === top || point.startsWith(`${top}/`))
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
