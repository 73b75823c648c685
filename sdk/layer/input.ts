import { BuilderError } from '../errors.js'

/** Waits for the next chunk of a stream; undefined is its end. */
export type Reading<Result> = Generator<undefined, Result, Buffer | undefined>

/**
 * The bytes of a stream, taken in pieces of a wanted size. It is fed from outside, chunk by chunk, and itself waits for
 * nothing: so a tar is unpacked without a promise for every entry.
 */
export class Input {
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  #ended = false
  #joined: Buffer = Buffer.alloc(0)

  get #used(): boolean {
    return this.#at === this.#chunk.length
  }

  /** Exactly so many bytes, valid until the next call; undefined when the stream has ended before the first. */
  *maybe(length: number): Reading<Buffer | undefined> {
    if (this.#chunk.length - this.#at >= length) {
      this.#at += length
      return this.#chunk.subarray(this.#at - length, this.#at)
    }
    if (this.#joined.length < length) this.#joined = Buffer.allocUnsafeSlow(Math.max(length, 4096))
    let filled = 0
    while (filled < length) {
      if (this.#used && !(yield* this.#next())) break
      const copied = this.#chunk.copy(this.#joined, filled, this.#at, this.#at + length - filled)
      this.#at += copied
      filled += copied
    }
    if (filled === 0 && length > 0) return undefined
    if (filled < length) throw truncated()
    return this.#joined.subarray(0, length)
  }

  /** As {@link maybe}; throws `INVALID` at the end of the stream. */
  *take(length: number): Reading<Buffer> {
    const bytes = yield* this.maybe(length)
    if (!bytes) throw truncated()
    return bytes
  }

  *skip(length: number): Reading<void> {
    for (let left = length; left > 0; ) {
      if (this.#used && !(yield* this.#next())) throw truncated()
      const step = Math.min(left, this.#chunk.length - this.#at)
      this.#at += step
      left -= step
    }
  }

  /** Reads to the end. */
  *drain(): Reading<void> {
    while (yield* this.#next());
  }

  *#next(): Reading<boolean> {
    const chunk = this.#ended ? undefined : yield
    this.#ended = chunk === undefined
    this.#chunk = chunk ?? empty
    this.#at = 0
    return chunk !== undefined
  }
}

function truncated(): BuilderError {
  const reason = 'its tar ends in the middle of an entry'
  const hint = 'the layer is damaged: get it again'
  return new BuilderError('INVALID', { operation: 'unpack layer', object: '', reason, hint })
}

const empty = Buffer.alloc(0)
