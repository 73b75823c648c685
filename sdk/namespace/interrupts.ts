import { readFileSync } from 'node:fs'
import { setProcessGroup } from './libc.js'
import { isAlive, type ProcessIdentity } from './process.js'

/**
 * ^C for commands in containers. A command that is the first process of its namespace ignores the signals that it does
 * not handle (pid_namespaces(7)), and the OCI runtime, which the launcher has become, only passes them on. So the engine
 * listens too: it joins the process group that has the terminal, and ends what is still there after a second.
 */
export class Interrupts {
  readonly #running = new Set<ProcessIdentity>()

  constructor() {
    process.on('SIGINT', () => {
      for (const one of this.#running) this.#interrupt(one)
    })
  }

  /** Watches over a process until the function that it returns is called. */
  watch(one: ProcessIdentity): () => void {
    const { group, foreground } = groupsOf(one.pid)
    if (group > 0 && group === foreground && group !== groupsOf(process.pid).group) setProcessGroup(group)
    this.#running.add(one)
    return () => this.#running.delete(one)
  }

  #interrupt(one: ProcessIdentity): void {
    const { group, foreground } = groupsOf(one.pid)
    if (group !== foreground || ignoresInterrupt(one.pid)) return
    setTimeout(() => isAlive(one) && kill(one.pid), grace)
  }
}

/** Milliseconds that a command has to end by itself. */
const grace = 1000

/** Fields 5 and 8 of /proc/PID/stat: the process group, and the one that has its terminal; -1 for none. Source: proc(5). */
function groupsOf(pid: number): { readonly group: number; readonly foreground: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { group: Number(fields[2]), foreground: Number(fields[5]) }
  } catch {
    return { group: 0, foreground: -1 }
  }
}

/** A shell's background command: ^C is not for it. Source: proc_pid_status(5), SigIgn, whose bit 1 is SIGINT. */
function ignoresInterrupt(pid: number): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0'
    return (Number.parseInt(mask.slice(-1), 16) & 2) !== 0
  } catch {
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}
