import { BuilderError } from '../errors.js'

/** Throws `ABORTED` when the signal has said so. */
export function stopIfAborted(signal: AbortSignal | undefined, operation: string, object: string): void {
  if (signal?.aborted) throw aborted(signal, operation, object)
}

/** The chunks of a stream. Throws `ABORTED` as soon as the signal says so, also while the stream keeps silent. */
export async function* untilAborted<Chunk>(
  stream: AsyncIterable<Chunk>,
  signal: AbortSignal | undefined,
  operation: string,
  object: string,
): AsyncGenerator<Chunk, void, undefined> {
  stopIfAborted(signal, operation, object)
  if (!signal) return yield* stream
  const iterator = stream[Symbol.asyncIterator]()
  let stop: (cause: unknown) => void = () => {}
  const onAbort = () => stop(aborted(signal, operation, object))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<Chunk>>((resolve, reject) => {
        stop = reject
        iterator.next().then(resolve, reject)
      })
      if (next.done) return
      yield next.value
      stopIfAborted(signal, operation, object)
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: a stream that keeps silent would never answer.
    iterator.return?.().catch(() => {})
  }
}

function aborted(signal: AbortSignal, operation: string, object: string): BuilderError {
  const reason = 'stopped before it was done'
  return new BuilderError('ABORTED', { operation, object, reason, cause: signal.reason })
}
