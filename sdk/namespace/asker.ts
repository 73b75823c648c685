import { closeSync, constants, createReadStream, openSync, readFileSync, readlinkSync, statSync, write } from 'node:fs'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { ReadStream, WriteStream } from 'node:tty'
import { descriptorOf } from './libc.js'
import type { Surrounding } from './surroundings.js'

/**
 * A launcher that asks a session's engine, as /proc shows it: that carries words of any bytes and needs no copy.
 * Source: proc(5), `/proc/pid/cmdline`, `cwd`, `environ`, `status`.
 */
export interface Asker extends Surrounding {
  readonly pid: number
  /** The last words of its command line: those behind the launcher's own name. */
  readonly argv: readonly string[]
}

/**
 * Reads what a launcher asks. Undefined when it is not in the engine's namespaces, or gone: then its files are not the
 * engine's. A word that is not UTF-8 has replacement characters, as under Node.
 */
export function readAsker(pid: number, count: number): Asker | undefined {
  try {
    if (!isNeighbour(pid)) return undefined
    const words = splitAtNul(readFileSync(`/proc/${pid}/cmdline`))
    if (words.length < count) return undefined
    return {
      pid,
      argv: words.slice(words.length - count),
      cwd: readlinkSync(`/proc/${pid}/cwd`),
      env: variablesOf(splitAtNul(readFileSync(`/proc/${pid}/environ`))),
      umask: Number.parseInt(
        /^Umask:\s*([0-7]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '022',
        8,
      ),
    }
  } catch {
    return undefined
  }
}

/** Its standard input, from where it stands; nothing when it has none. */
export function inputOf({ pid }: Asker): Readable {
  const path = `/proc/${pid}/fd/${launcherInput}`
  const status = statSync(path, { throwIfNoEntry: false })
  if (!status) return Readable.from([])
  // A pipe or a terminal is opened anew, so that it can be waited for without the caller's own descriptor changing.
  if (status.isFIFO()) return new Socket({ fd: openNew(path, constants.O_RDONLY), readable: true, writable: false })
  if (isTerminal(path)) return new ReadStream(openNew(path, constants.O_RDONLY))
  const descriptor = descriptorOf(pid, launcherInput)
  if (status.isSocket()) return new Socket({ fd: descriptor, readable: true, writable: false })
  return createReadStream('', { fd: descriptor })
}

/** Where a launcher keeps its standard input. */
export function placeOfInput({ pid }: Asker): { readonly pid: number; readonly descriptor: number } {
  return { pid, descriptor: launcherInput }
}

/** Says something on a launcher's standard error, in order; `done` waits until the kernel has everything. */
export class ErrorStream {
  readonly #asker: Asker
  #last: Promise<void> = Promise.resolve()
  #descriptor: number | undefined

  constructor(asker: Asker) {
    this.#asker = asker
  }

  say(text: string): void {
    this.#last = this.#last.then(() => this.#write(Buffer.from(text)))
  }

  async done(): Promise<void> {
    await this.#last
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  /** Columns of the terminal that it is; undefined when it is none. */
  get columns(): number | undefined {
    return terminalColumns(`/proc/${this.#asker.pid}/fd/2`)
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#descriptor ??= openError(this.#asker.pid)
    const descriptor = this.#descriptor
    // A launcher that is gone has become a command: the script is told.
    // On a thread: a reader that does not read holds up nobody else.
    await new Promise<void>((resolve) => write(descriptor ?? 2, bytes, () => resolve()))
  }
}

/** Columns of the terminal behind a descriptor of a process; undefined when there is none. */
export function terminalColumns(path: string): number | undefined {
  if (!isTerminal(path)) return undefined
  try {
    const terminal = new WriteStream(openNew(path, constants.O_WRONLY))
    const { columns } = terminal
    terminal.destroy()
    return columns
  } catch {
    return undefined
  }
}

/** The same mount and process namespace, and the same root. */
function isNeighbour(pid: number): boolean {
  const same = (name: string) => {
    const [own, other] = [statSync(`/proc/self/${name}`), statSync(`/proc/${pid}/${name}`)]
    return own.ino === other.ino && own.dev === other.dev
  }
  return same('ns/mnt') && same('ns/user') && same('root')
}

function splitAtNul(bytes: Buffer): string[] {
  const words = bytes.toString().split('\0')
  words.pop()
  return words
}

function variablesOf(words: readonly string[]): Record<string, string> {
  const pairs = words.flatMap((word) => {
    const at = word.indexOf('=')
    return at > 0 ? [[word.slice(0, at), word.slice(at + 1)] as const] : []
  })
  return Object.fromEntries(pairs)
}

function openError(pid: number): number | undefined {
  try {
    return descriptorOf(pid, 2)
  } catch {
    try {
      return openSync(`/proc/${pid}/fd/2`, constants.O_WRONLY | constants.O_APPEND)
    } catch {
      return undefined
    }
  }
}

/** Where bin/builder keeps its standard input while it waits. */
const launcherInput = 5

function openNew(path: string, mode: number): number {
  return openSync(path, mode | constants.O_NONBLOCK | constants.O_NOCTTY)
}

/** Source: proc(5): what the link of a descriptor says. */
function isTerminal(path: string): boolean {
  try {
    return /^\/dev\/(?:pts\/|tty|console)/.test(readlinkSync(path))
  } catch {
    return false
  }
}
