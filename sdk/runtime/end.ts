import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PreparedRun } from './run-request.js'

/**
 * Kills what is left of a run and waits for it: the container of an OCI runtime by the runtime's own `delete --force`,
 * process 1 of a chroot run by its process ID, when that process is still the one that was started.
 */
export function endRun({ id, folder, isolation, runtime, env }: PreparedRun): void {
  if (isolation === 'chroot') endProcess(join(folder, 'process'))
  if (!runtime || !existsSync(join(folder, 'state', id))) return
  const [program = '', ...args] = runtime
  spawnSync(program, [...args, 'delete', '--force', id], { stdio: 'ignore', env, timeout: 30_000 })
}

/** @param file - Holds process 1's /proc/<pid>/stat as it was at its start. */
function endProcess(file: string): void {
  const written = existsSync(file) ? readFileSync(file, 'latin1').trim() : ''
  const pid = Number.parseInt(written, 10)
  if (!(pid > 1) || startTimeOf(written) !== startTimeOf(statOf(pid))) return
  process.kill(pid, 'SIGKILL')
  const deadline = Date.now() + 5_000
  while (startTimeOf(statOf(pid)) === startTimeOf(written) && Date.now() < deadline) pause(2)
}

function statOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return /\) [ZX] /.test(stat) ? '' : stat
  } catch {
    return ''
  }
}

/** Field 22 of /proc/<pid>/stat; the name in field 2 may hold blanks and brackets. Source: proc(5). */
function startTimeOf(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
