import { closeSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { descriptorOf, pollNow } from './libc.js'

/**
 * Whether a command that reads its standard input would read nothing: it is closed, `/dev/null`, a file at its end, or a
 * pipe that nobody writes to any more. A terminal counts as empty: nobody has typed yet. A pipe that may still bring
 * something is not.
 *
 * @param pid - The process whose descriptor it is; `self` for this one.
 */
export function isEmptyInput(pid: number | 'self', descriptor: number): boolean {
  const path = `/proc/${pid}/fd/${descriptor}`
  try {
    const info = statSync(path, { throwIfNoEntry: false })
    if (!info || /^\/dev\/(?:null$|pts\/|tty|console)/.test(readlinkSync(path))) return true
    if (info.isFile()) return positionOf(pid, descriptor) >= info.size
    return (info.isFIFO() || info.isSocket()) && isOver(pid, descriptor)
  } catch {
    return false
  }
}

/** Source: proc(5), `/proc/pid/fdinfo`. */
function positionOf(pid: number | 'self', descriptor: number): number {
  const info = readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'latin1')
  return Number(/^pos:\s*(\d+)/m.exec(info)?.[1] ?? 0)
}

function isOver(pid: number | 'self', descriptor: number): boolean {
  if (pid === 'self') return isHungUp(descriptor)
  const own = descriptorOf(pid, descriptor)
  try {
    return isHungUp(own)
  } finally {
    closeSync(own)
  }
}

/** What was written before the writer went can still be read. */
function isHungUp(descriptor: number): boolean {
  const { hungUp, unread } = pollNow(descriptor)
  return hungUp && unread === 0
}
