import { asBuilderError, BuilderError, fromWire } from '../errors.js'
import { caller } from './caller.js'
import type { Channel, Reply, Request } from './engine-messages.js'

/** What goes with a call to an engine. */
export interface CallOptions {
  readonly signal?: AbortSignal
  /** Gets what the method emits on its way. */
  readonly onEvent?: (event: unknown) => void
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly onEvent: ((event: unknown) => void) | undefined
}

/** The calls under way; while there is one, the engine keeps the script alive. */
export class Calls {
  private readonly pending = new Map<number, Pending>()
  private last = 0

  constructor(
    private readonly channel: Channel,
    private readonly died: () => BuilderError,
  ) {}

  async start(method: string, args: unknown, { signal, onEvent }: CallOptions): Promise<unknown> {
    if (signal?.aborted) throw asBuilderError(new DOMException('aborted', 'AbortError'), method)
    const id = ++this.last
    const cancel = () => this.channel.isOpen && this.channel.send({ id, cancel: true }, () => {})
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
    else if ('say' in reply) caller().say(reply.say)
    else if ('error' in reply) call?.reject(fromWire(reply.error))
    else call?.resolve(reply.value)
  }

  failAll(): void {
    for (const { reject } of this.pending.values()) reject(this.died())
  }

  keepAlive(): void {
    this.channel.hold(this.pending.size > 0)
  }

  private send(request: Request & { method: string }, reject: (error: Error) => void): void {
    try {
      if (this.channel.isOpen) this.channel.send(request, () => reject(this.died()))
      else reject(this.died())
    } catch (cause) {
      const reason = `an argument cannot be given to another process: ${(cause as Error).message}`
      const hint = 'give plain data: no functions, no streams'
      reject(new BuilderError('USAGE', { operation: request.method, object: '', reason, hint, cause }))
    }
  }
}
