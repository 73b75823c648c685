import type { ChildProcess } from 'node:child_process'
import { BuilderError, fromWire, toWire, type WireError } from '../errors.js'
import { spawnInside } from './enter.js'

/** A child process inside the namespace that does a script's work there, and ends with the script. */
export interface Engine extends AsyncDisposable {
  readonly pid: number
  /** Calls a method. Throws what the method throws, `ABORTED` when the signal fires, `SYSTEM` when the engine died. */
  call(method: string, args: unknown, options?: { signal?: AbortSignal }): Promise<unknown>
  /** A path of the engine's mount namespace as this process can read and write it. */
  path(inside: string): string
}

export interface EngineOptions {
  /** Absolute path of the JavaScript file that calls {@link serveEngine}. */
  readonly entry: string
  /** Options for node before the file: the loaders that it needs. */
  readonly nodeOptions?: readonly string[]
}

type Request = { readonly id: number } & (
  | { readonly method: string; readonly args: unknown }
  | { readonly cancel: true }
)
type Reply = { readonly id: number } & ({ readonly value: unknown } | { readonly error: WireError })

/** The one engine of this process, started at the first call, and again when it died. */
export function sharedEngine(options: EngineOptions): Promise<Engine> {
  shared ??= startEngine(options, () => {
    shared = undefined
  })
  return shared
}

let shared: Promise<Engine> | undefined

/** Starts an engine. It keeps this process alive only while a call is under way. Throws `UNSUPPORTED`. */
export async function startEngine(options: EngineOptions, onEnd: () => void = () => {}): Promise<Engine> {
  const argv = [process.execPath, ...(options.nodeOptions ?? []), options.entry]
  const child = await spawnInside(argv, { stdio: ['ignore', 2, 2, 'ipc'], env: process.env })
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  child.on('message', (reply: Reply) => {
    const call = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (waiting.size === 0) letGo(child)
    if ('error' in reply) call?.reject(fromWire(reply.error))
    else call?.resolve(reply.value)
  })
  child.once('exit', () => {
    onEnd()
    for (const call of waiting.values()) call.reject(died(child.pid))
    waiting.clear()
  })
  letGo(child)
  return { pid: child.pid as number, ...client(child, waiting) }
}

function client(
  child: ChildProcess,
  waiting: Map<number, { resolve: (v: unknown) => void; reject: (e: Error) => void }>,
) {
  let calls = 0
  const send = (request: Request) => child.connected && child.send(request)
  return {
    call(method: string, args: unknown, { signal }: { signal?: AbortSignal } = {}) {
      const id = ++calls
      const cancel = () => send({ id, cancel: true })
      const result = new Promise<unknown>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        hold(child)
        if (!send({ id, method, args })) reject(died(child.pid))
        if (signal?.aborted) cancel()
        signal?.addEventListener('abort', cancel, { once: true })
      })
      return result.finally(() => signal?.removeEventListener('abort', cancel))
    },
    path: (inside: string) => `/proc/${child.pid}/root${inside}`,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      hold(child)
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** Keeps this process alive for an answer, or for the engine's end. */
function hold(child: ChildProcess): void {
  child.ref()
  child.channel?.ref()
}

function letGo(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
}

/** The engine's side: answers calls until the script is gone, then ends what is under way and exits. */
export function serveEngine(
  handle: (method: string, args: unknown, context: { signal: AbortSignal }) => Promise<unknown>,
): void {
  const running = new Map<number, AbortController>()
  process.on('message', async (request: Request) => {
    if ('cancel' in request) return running.get(request.id)?.abort()
    const { id, method, args } = request
    const controller = new AbortController()
    running.set(id, controller)
    const reply = await handle(method, args, { signal: controller.signal }).then(
      (value): Reply => ({ id, value }),
      (error: unknown): Reply => ({ id, error: toWire(error) }),
    )
    running.delete(id)
    if (process.connected) process.send?.(reply)
    else if (running.size === 0) process.exit()
  })
  process.on('disconnect', () => {
    for (const controller of running.values()) controller.abort()
    if (running.size === 0) process.exit()
  })
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {})
}

function died(pid: number | undefined): BuilderError {
  const reason = 'the engine of this script ended before it answered'
  const hint = 'call again: a new one is started; builder check tells whether the store is whole'
  return new BuilderError('SYSTEM', { operation: 'call engine', object: `process ${pid}`, reason, hint })
}
