import type { ChildProcess } from 'node:child_process'
import { asBuilderError, BuilderError, fromWire } from '../errors.js'
import { spawnInside } from './enter.js'
import { grace, type Reply, type Request } from './serve-engine.js'

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

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Gets what the method emits on its way. */
  readonly onEvent?: (event: unknown) => void
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
  const calls = new Calls(child)
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

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly onEvent: ((event: unknown) => void) | undefined
}

/** The calls under way; while there is one, the engine keeps the script alive. */
class Calls {
  private readonly pending = new Map<number, Pending>()
  private last = 0

  constructor(private readonly child: ChildProcess) {}

  async start(method: string, args: unknown, { signal, onEvent }: CallOptions): Promise<unknown> {
    if (signal?.aborted) throw asBuilderError(new DOMException('aborted', 'AbortError'), method)
    const id = ++this.last
    const cancel = () => this.child.connected && this.child.send({ id, cancel: true } satisfies Request, () => {})
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      return await new Promise((resolve, reject) => {
        this.pending.set(id, { resolve, reject, onEvent })
        this.keepAlive()
        this.send({ id, method, args }, reject)
      })
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.pending.delete(id)
      this.keepAlive()
    }
  }

  answer(reply: Reply): void {
    const call = this.pending.get(reply.id)
    if ('event' in reply) call?.onEvent?.(reply.event)
    else if ('error' in reply) call?.reject(fromWire(reply.error))
    else call?.resolve(reply.value)
  }

  failAll(): void {
    for (const { reject } of this.pending.values()) reject(died(this.child))
  }

  /** The process and its channel are two handles; the end of an engine is only seen while the first is held. */
  keepAlive(): void {
    const hold = this.pending.size > 0 ? 'ref' : 'unref'
    this.child[hold]()
    this.child.channel?.[hold]()
  }

  private send(request: Request & { method: string }, reject: (error: Error) => void): void {
    try {
      if (this.child.connected) this.child.send(request, (error) => error && reject(died(this.child)))
      else reject(died(this.child))
    } catch (cause) {
      const reason = `an argument cannot be given to another process: ${(cause as Error).message}`
      const hint = 'give plain data: no functions, no streams'
      reject(new BuilderError('USAGE', { operation: request.method, object: '', reason, hint, cause }))
    }
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

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function died({ pid }: ChildProcess): BuilderError {
  const reason = 'the engine of this script ended before it answered'
  const hint = 'call again: a new one is started; builder check tells whether the store is whole'
  return new BuilderError('SYSTEM', { operation: 'call engine', object: `process ${pid}`, reason, hint })
}
