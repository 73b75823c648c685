import { AsyncLocalStorage } from 'node:async_hooks'
import type { Readable, Writable } from 'node:stream'
import type { ProcessIdentity } from './process.js'

/**
 * The process that asked for a verb: this one, or a launcher in whose name a session's engine works. What a verb says to
 * the user or reads from standard input goes through it.
 */
export interface Caller {
  /** Writes to the caller's standard error, at once. */
  say(text: string): void
  /** The caller's standard input, from where it stands. */
  stdin(): Readable
  /** The process and its descriptor that standard input is; absent where nobody knows. */
  readonly stdinOf?: { readonly pid: number | 'self'; readonly descriptor: number }
  /** The caller's standard output, for a stream of bytes; absent where this process has another one. */
  readonly stdout?: () => Writable
  /** Columns of the terminal that standard error is; undefined when it is none. */
  readonly columns: number | undefined
  /** The process that {@link become} turns into something else; whoever tidies up after a killed engine ends it first. */
  readonly process?: ProcessIdentity
  /** Rows of that terminal; absent when they are not known. */
  readonly rows?: number | undefined
  /**
   * Has the caller become a program, and returns when that has ended. Undefined when the verb has to start the program
   * itself, as its own child.
   */
  readonly become?: (program: Program) => Promise<void>
}

/** A program that the caller becomes. */
export interface Program {
  readonly argv: readonly string[]
  /** All its variables. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** It gives its descriptors to nobody: that the caller's FIFO stays open in it tells at once when it ends. */
  readonly keepsSession?: boolean
  /** Exit codes that count as success: the caller stays and translates. */
  readonly validExitCodes?: readonly string[]
}

/** The caller of the verb that is being carried out. */
export function caller(): Caller {
  const one = callers.getStore() ?? thisProcess
  return diverted.get(one) ?? one
}

/**
 * Has what others tell a caller pass through `say`, until `diverted` is disposed of. `instead` is what {@link caller}
 * gives meanwhile. A display that redraws its lines puts messages above them this way.
 */
export function divert(one: Caller, say: (text: string) => void): { instead: Caller; diverted: Disposable } {
  const instead: Caller = {
    say,
    stdin: () => one.stdin(),
    ...(one.stdinOf ? { stdinOf: one.stdinOf } : {}),
    ...(one.stdout ? { stdout: one.stdout } : {}),
    get columns() {
      return one.columns
    },
    get rows() {
      return one.rows
    },
    ...(one.become ? { become: (program) => (one.become as NonNullable<Caller['become']>)(program) } : {}),
  }
  diverted.set(one, instead)
  return { instead, diverted: { [Symbol.dispose]: () => void diverted.delete(one) } }
}

/** Carries out work in the name of a caller. */
export function onBehalfOf<T>(one: Caller, work: () => Promise<T>): Promise<T> {
  return callers.run(one, work)
}

const callers = new AsyncLocalStorage<Caller>()
const diverted = new WeakMap<Caller, Caller>()

const thisProcess: Caller = {
  say(text) {
    // Where nobody reads any more what is told, the work goes on.
    if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => {})
    process.stderr.write(text)
  },
  stdin: () => process.stdin,
  stdinOf: { pid: 'self', descriptor: 0 },
  // A script's engine has a channel to the script, and no standard output.
  ...(process.channel ? {} : { stdout: () => process.stdout }),
  get columns() {
    return process.stderr.isTTY ? (process.stderr.columns ?? 80) : undefined
  },
  get rows() {
    return process.stderr.isTTY ? process.stderr.rows : undefined
  },
}
