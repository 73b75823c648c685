import { toWire, type WireError } from '../errors.js'

/** What the script sends. */
export type Request = { readonly id: number } & (
  | { readonly method: string; readonly args: unknown }
  | { readonly cancel: true }
)

/** What the engine answers: events, then a value or an error. */
export type Reply = { readonly id: number } & (
  | { readonly event: unknown }
  | { readonly value: unknown }
  | { readonly error: WireError }
)

/** How long work that was stopped may take to tidy up before it is cut off, in milliseconds. */
export const grace = 10_000

/** What a method gets besides its arguments. */
export interface EngineContext {
  /** Fires when the caller stops the call, and when the script is gone. */
  readonly signal: AbortSignal
  /** Sends plain data to the caller's `onEvent`. */
  readonly emit: (event: unknown) => void
}

/** Answers a call. */
export type EngineHandler = (method: string, args: unknown, context: EngineContext) => Promise<unknown>

/**
 * The engine's side: answers calls until the script is gone, then stops what is under way and exits. The terminal's
 * signals are left to the script, which decides whether to end. `onGone` ends what outlives a call, before the exit.
 */
export function serveEngine(handle: EngineHandler, onGone: () => Promise<void> = async () => {}): void {
  const running = new Map<number, AbortController>()
  process.on('message', async (request: Request) => {
    if ('cancel' in request) return running.get(request.id)?.abort()
    const controller = new AbortController()
    running.set(request.id, controller)
    const reply = await answer(handle, request, controller.signal)
    running.delete(request.id)
    send(reply)
    if (!process.connected && running.size === 0) leave()
  })
  const leave = () => void onGone().finally(() => process.exit())
  process.on('disconnect', () => {
    if (running.size === 0) leave()
    for (const controller of running.values()) controller.abort()
    setTimeout(() => process.exit(), grace)
  })
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {})
}

async function answer(
  handle: EngineHandler,
  { id, method, args }: Extract<Request, { method: string }>,
  signal: AbortSignal,
): Promise<Reply> {
  try {
    return { id, value: await handle(method, args, { signal, emit: (event) => send({ id, event }) }) }
  } catch (error) {
    return { id, error: toWire(error) }
  }
}

/** A value that cannot be copied is an error of its own; a script that is gone needs no answer. */
function send(reply: Reply): void {
  if (!process.connected) return
  try {
    process.send?.(reply, undefined, undefined, () => {})
  } catch (error) {
    send({ id: reply.id, error: toWire(error) })
  }
}
