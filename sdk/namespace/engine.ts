import type { ChildProcess } from 'node:child_process'
import { BuilderError } from '../errors.js'
import { type CallOptions, Calls } from './engine-calls.js'
import type { Channel, Reply } from './engine-messages.js'
import { spawnInside } from './enter.js'
import { grace } from './serve-engine.js'

export type { CallOptions } from './engine-calls.js'
export { serveEngine } from './serve-engine.js'

/** A child process inside the namespace that does a script's work there, and ends with the script. */
export interface Engine extends AsyncDisposable {
  readonly pid: number
  /**
   * Calls a method. What crosses is copied by structured clone: no functions. Throws what the method throws, `ABORTED`
   * when the signal fires, `USAGE` for an argument that cannot be copied, `SYSTEM` when the engine died.
   */
  call(method: string, args: unknown, options?: CallOptions): Promise<unknown>
  /** A path of the engine's mount namespace as this process can read and write it. */
  path(inside: string): string
}

export interface EngineOptions {
  /** Absolute path of the JavaScript file that calls {@link serveEngine}. */
  readonly entry: string
  /** Options for node before the file: the loaders that it needs. */
  readonly nodeOptions?: readonly string[]
}

/** The one engine of this process, started at the first call, and again when it died or could not start. */
export function sharedEngine(options: EngineOptions): Promise<Engine> {
  const forget = () => {
    shared = undefined
  }
  shared ??= startEngine(options, forget).catch((error: unknown) => {
    forget()
    throw error
  })
  return shared
}

let shared: Promise<Engine> | undefined

/** Starts an engine. It keeps this process alive only while a call is under way. Throws `UNSUPPORTED`, `SYSTEM`. */
export async function startEngine(options: EngineOptions, onEnd: () => void = () => {}): Promise<Engine> {
  const argv = [process.execPath, ...(options.nodeOptions ?? []), options.entry]
  const child = await spawnInside(argv, {
    stdio: ['ignore', 2, 2, 'ipc'],
    env: process.env,
    serialization: 'advanced',
  })
  if (hasEnded(child)) throw died(child)
  const calls = new Calls(channelOf(child), () => died(child))
  child.on('message', (reply: Reply) => calls.answer(reply))
  // Without a listener a failure to send would end the script; `exit` follows and tells the calls.
  child.on('error', () => {})
  child.once('exit', () => {
    onEnd()
    calls.failAll()
  })
  calls.keepAlive()
  return {
    pid: child.pid as number,
    call: (method, args, callOptions = {}) => calls.start(method, args, callOptions),
    path: (inside) => `/proc/${child.pid}/root${inside}`,
    [Symbol.asyncDispose]: () => end(child),
  }
}

/** Lets it stop what is under way, and ends it when that takes too long. */
async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  child.ref()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), 2 * grace)
  await ended
  clearTimeout(timer)
}

/** The process and its channel are two handles; the end of an engine is only seen while the first is held. */
function channelOf(child: ChildProcess): Channel {
  return {
    get isOpen() {
      return child.connected
    },
    send: (request, failed) => child.send(request, (error) => error && failed()),
    hold(isHeld) {
      const hold = isHeld ? 'ref' : 'unref'
      child[hold]()
      child.channel?.[hold]()
    },
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function died({ pid }: ChildProcess): BuilderError {
  const reason = 'the engine of this script ended before it answered'
  const hint = 'call again: a new one is started; builder check tells whether the store is whole'
  return new BuilderError('SYSTEM', { operation: 'call engine', object: `process ${pid}`, reason, hint })
}
