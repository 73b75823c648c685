import { readFileSync, realpathSync } from 'node:fs'

/**
 * Mount points of a process' mount namespace, in the order of their mounting. Throws a system error for a process that
 * this one may not look into. Source: proc_pid_mountinfo(5), field 5.
 */
export function mountPoints(pid: number | 'self' = 'self'): string[] {
  return mountTable(pid).map(({ path }) => path)
}

/** The type of the file system that is mounted exactly there, the topmost one: `overlay`, `fuse.fuse-overlayfs`, `ext4`. */
export function mountType(path: string): string | undefined {
  const at = real(path)
  return mountTable().findLast((one) => one.path === at)?.type
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

interface MountRow {
  readonly path: string
  readonly type: string
}

/** Fields 5 and, behind the hyphen, the type. Blanks and backslashes are written as octal numbers, of bytes. */
function mountTable(pid: number | 'self' = 'self'): MountRow[] {
  const rows = readFileSync(`/proc/${pid}/mountinfo`, 'latin1').split('\n')
  return rows.flatMap((row) => {
    const [fields = '', type = ''] = row.split(' - ')
    const path = fields.split(' ')[4]
    if (path === undefined) return []
    const bytes = path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
    return [{ path: Buffer.from(bytes, 'latin1').toString(), type: type.split(' ')[0] ?? '' }]
  })
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
