import { PassThrough } from 'node:stream'
import { toWire } from '../errors.js'
import type { Reply, Request } from './engine-messages.js'
import { type EngineHandler, serveCalls } from './serve-engine.js'
import { decodeMessages, encodeMessage } from './session-messages.js'
import type { Slot } from './session-slot.js'

/** A script that calls verbs as functions. */
export interface Script {
  readonly handle: EngineHandler
  /** Ends what outlives a call, when the script is gone. */
  readonly onGone: () => Promise<void>
}

/**
 * Answers a script, which keeps its place in the session as long as it lives: calls come up and answers go down in lines.
 * Resolves when the script is gone, or the session ends, and what it began has ended.
 */
export async function serveScript(slot: Slot, { handle, onGone }: Script, ending: AbortSignal): Promise<void> {
  const { gone } = slot
  let last: Promise<unknown> = Promise.resolve()
  const served = serveCalls(
    handle,
    (reply) => {
      const line = encodeReply(reply)
      last = last.then(() => slot.write(line, gone))
    },
    true,
  )
  const lines = new PassThrough()
  slot.onData((chunk) => lines.write(chunk))
  decodeMessages(lines, (message) => served.take(message as Request))
  const stop = AbortSignal.any([gone, ending])
  await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve()))
  await served.stop()
  await onGone()
}

/** A value that cannot be copied is an error of its own. */
function encodeReply(reply: Reply): string {
  try {
    return encodeMessage(reply)
  } catch (error) {
    return encodeMessage({ id: reply.id, error: toWire(error) } satisfies Reply)
  }
}
