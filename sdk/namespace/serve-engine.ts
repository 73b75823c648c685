import { toWire } from '../errors.js'
import type { Reply, Request } from './engine-messages.js'

/** How long work that was stopped may take to tidy up before it is cut off, in milliseconds. */
export const grace = 10_000

/** What a method gets besides its arguments. */
export interface EngineContext {
  /** Fires when the caller stops the call, and when the script is gone. */
  readonly signal: AbortSignal
  /** Sends plain data to the caller's `onEvent`. */
  readonly emit: (event: unknown) => void
  /** Tells the caller's user something; absent where standard error is the caller's. */
  readonly say?: (text: string) => void
}

/** Answers a call. */
export type EngineHandler = (method: string, args: unknown, context: EngineContext) => Promise<unknown>

/**
 * The engine's side: answers calls until the script is gone, then stops what is under way and exits. The terminal's
 * signals are left to the script, which decides whether to end. `onGone` ends what outlives a call, before the exit.
 */
export function serveEngine(handle: EngineHandler, onGone: () => Promise<void> = async () => {}): void {
  const served = serveCalls(handle, send)
  process.on('message', (request: Request) => served.take(request))
  process.on('disconnect', () => {
    void served
      .stop()
      .then(onGone)
      .finally(() => process.exit())
    setTimeout(() => process.exit(), grace)
  })
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {})
}

/** The calls of one script. */
export interface ServedCalls {
  take(request: Request): void
  /** Stops what is under way; resolves when it has ended. */
  stop(): Promise<void>
}

/** Answers calls through `reply`. With `says`, what a verb tells its user goes the same way. */
export function serveCalls(handle: EngineHandler, reply: (reply: Reply) => void, says = false): ServedCalls {
  const running = new Map<number, { readonly controller: AbortController; readonly ended: Promise<void> }>()
  return {
    take(request) {
      const { id } = request
      if ('cancel' in request) return running.get(id)?.controller.abort()
      const controller = new AbortController()
      const context = {
        signal: controller.signal,
        emit: (event: unknown) => reply({ id, event }),
        ...(says ? { say: (text: string) => reply({ id, say: text }) } : {}),
      }
      const ended = answer(handle, request, context).then((one) => {
        running.delete(id)
        reply(one)
      })
      running.set(id, { controller, ended })
    },
    async stop() {
      const all = [...running.values()]
      for (const { controller } of all) controller.abort()
      await Promise.all(all.map(({ ended }) => ended))
    },
  }
}

async function answer(
  handle: EngineHandler,
  { id, method, args }: Extract<Request, { method: string }>,
  context: EngineContext,
): Promise<Reply> {
  try {
    return { id, value: await handle(method, args, context) }
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
