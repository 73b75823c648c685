import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PreparedRun } from './run-request.js'

/**
 * Kills what is left of a run and waits for it: the container of an OCI runtime by the runtime's own `delete --force`,
 * process 1 of a chroot run by its process ID, when that process is still the one that was started.
 */
export function endRun({ id, folder, isolation, runtime, env, inMemory, sharesProcesses }: PreparedRun): void {
  if (isolation === 'chroot') endProcess(readText(join(folder, 'process')))
  // A folder in memory is gone with its namespace, or not to be seen from this one: then its processes tell.
  const isLost = inMemory === true && !existsSync(join(folder, 'config.json')) && !existsSync(join(folder, 'settings'))
  if (isLost) for (const stat of [...runtimesOf(id), ...processesOf(id)]) endProcess(stat)
  const isLeft = existsSync(join(folder, 'state', id))
  if (!runtime || !(isLeft || sharesProcesses)) return
  const [program = '', ...args] = runtime
  if (isLeft) {
    spawnSync(program, [...args, 'delete', '--force', id], { stdio: 'ignore', env, timeout: 30_000 })
    // The runtime that waits for it gives the terminal back, and would make its folder again once it is removed.
    for (const stat of runtimesOf(id)) if (!hasEnded(stat, runtimePatience)) endProcess(stat)
  }
  // In the host's pid namespace the kernel ends nothing by itself, and a runtime that was killed between the start of the
  // command and the writing of its state has forgotten it.
  for (const stat of processesOf(id)) endProcess(stat)
}

/** Milliseconds that a runtime has for that. */
const runtimePatience = 1_000

/** @param written - The process's /proc/<pid>/stat as it was before. */
function endProcess(written: string): void {
  const pid = Number.parseInt(written, 10)
  if (!(pid > 1) || startTimeOf(written) !== startTimeOf(statOf(pid))) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has just ended, or is somebody else's that only has the same words.
    return
  }
  hasEnded(written, 5_000)
}

function hasEnded(written: string, patience: number): boolean {
  const pid = Number.parseInt(written, 10)
  const isThere = () => startTimeOf(statOf(pid)) === startTimeOf(written)
  const deadline = Date.now() + patience
  while (isThere() && Date.now() < deadline) pause(2)
  return !isThere()
}

/** The processes that execute the run from outside: its ID is the last of their words. */
function runtimesOf(id: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readText(`/proc/${name}/cmdline`).endsWith(`\0${id}\0`))
    .map((name) => statOf(Number(name)))
}

/** The processes that see a mount from the run's own directory, as every process of it does and no other. */
function processesOf(id: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readText(`/proc/${name}/mountinfo`).includes(`/${id}/resolv.conf `))
    .map((name) => statOf(Number(name)))
}

/**
 * Ends what a run in the host's pid namespace has started once its first process has ended, as the kernel does in a namespace of its
 * own; crun waits for all of it. Dispose of it when the run has ended.
 */
export function endWithFirst({ folder, id, sharesProcesses }: PreparedRun): Disposable {
  if (!sharesProcesses) return { [Symbol.dispose]: () => {} }
  let first = ''
  const timer = setInterval(() => {
    const pid = Number.parseInt(readText(join(folder, 'process')), 10)
    if (!(pid > 1)) return
    const now = statOf(pid)
    if (first === '') first = now || gone
    if (first !== gone && startTimeOf(now) === startTimeOf(first)) return
    for (const stat of processesOf(id)) endProcess(stat)
  }, 50)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

const gone = 'gone'

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Empty for a process that is gone, or waits only for its parent to notice. */
function statOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`)
  return /\) [ZX] /.test(stat) ? '' : stat
}

/** Field 22 of /proc/<pid>/stat; the name in field 2 may hold blanks and brackets. Source: proc(5). */
function startTimeOf(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
