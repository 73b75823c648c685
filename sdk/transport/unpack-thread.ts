/** What a thread runs that unpacks layers: see unpack-threads.ts. Several layers take turns in it. */
import { type MessagePort, parentPort } from 'node:worker_threads'
import { BuilderError, toWire } from '../errors.js'
import { unpackHere } from './unpack.js'
import type { FromThread, ToThread } from './unpack-threads.js'

/** The bytes that have come of a layer. Whoever reads is told apart from whoever sends: each goes at its own pace. */
class Queue implements AsyncIterable<Uint8Array> {
  readonly #pieces: Uint8Array[] = []
  readonly #onUsed: (bytes: number) => void
  #end: 'whole' | 'broken' | undefined
  #changed: () => void = () => {}

  constructor(onUsed: (bytes: number) => void) {
    this.#onUsed = onUsed
  }

  push(bytes: Uint8Array): void {
    this.#pieces.push(bytes)
    this.#changed()
  }

  end(how: 'whole' | 'broken'): void {
    this.#end = how
    this.#changed()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (this.#end === 'broken') throw brokenOff()
      const piece = this.#pieces.shift()
      if (piece) {
        yield piece
        this.#onUsed(piece.length)
      } else if (this.#end) return
      else
        await new Promise<void>((resolve) => {
          this.#changed = resolve
        })
    }
  }
}

/** Nobody sees it: whoever broke it off knows why. */
function brokenOff(): BuilderError {
  const reason = 'stopped before it was done'
  return new BuilderError('ABORTED', { operation: 'unpack layer', object: '', reason })
}

function serve(port: MessagePort): void {
  const queues = new Map<number, Queue>()
  const answer = (message: FromThread) => port.postMessage(message)
  port.on('message', (message: ToThread) => {
    const { id } = message
    if ('bytes' in message) queues.get(id)?.push(message.bytes)
    else if ('end' in message) queues.get(id)?.end(message.end)
    else {
      const stream = new Queue((used) => answer({ id, used }))
      queues.set(id, stream)
      unpackHere(message.store, { ...message.arrival, stream })
        .then(
          () => answer({ id, ended: true }),
          (error) => answer({ id, ended: true, error: toWire(error) }),
        )
        .finally(() => queues.delete(id))
    }
  })
}

if (parentPort) serve(parentPort)
