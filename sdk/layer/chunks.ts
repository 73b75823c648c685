import { closeSync, constants, openSync, readSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { paddingOf } from './header.js'
import { slotSize } from './layer-hash.js'
import { readable } from './names.js'
import type { TreeEntry } from './walk.js'

/** Collects the bytes of a tar into chunks of 1 MiB. */
export class Chunks {
  readonly #supply: () => Buffer
  #chunk: Buffer | undefined
  #used = 0

  /** @param supply - Gives a buffer of 1 MiB; called again when the one before has been handed out full. */
  constructor(supply: () => Buffer) {
    this.#supply = supply
  }

  *put(bytes: Readonly<Buffer>): Generator<Buffer> {
    for (let done = 0; done < bytes.length; ) {
      const copied = (bytes as Buffer).copy(this.#current(), this.#used, done)
      done += copied
      yield* this.#advance(copied)
    }
  }

  /** The content of a file and its padding. Reads as many bytes as the header promised, whatever happens to the file. */
  *content(entry: TreeEntry): Generator<Buffer> {
    const file = openSync(entry.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      for (let left = entry.size; left > 0; ) {
        const got = readSync(file, this.#current(), this.#used, Math.min(left, slotSize - this.#used), null)
        if (got === 0) throw shrank(entry)
        left -= got
        yield* this.#advance(got)
      }
    } finally {
      closeSync(file)
    }
    // A chunk is whole blocks, so the padding fits.
    const padding = paddingOf(entry.size)
    if (padding === 0) return
    this.#current().fill(0, this.#used, this.#used + padding)
    yield* this.#advance(padding)
  }

  /** What has been collected and not handed out. */
  *rest(): Generator<Buffer> {
    if (this.#used > 0) yield this.#current().subarray(0, this.#used)
  }

  #current(): Buffer {
    this.#chunk ??= this.#supply()
    return this.#chunk
  }

  *#advance(bytes: number): Generator<Buffer> {
    this.#used += bytes
    if (this.#used < slotSize) return
    yield this.#current()
    this.#chunk = undefined
    this.#used = 0
  }
}

function shrank(entry: TreeEntry): BuilderError {
  const object = readable(`/${entry.name}`)
  const reason = 'it became shorter while it was read'
  return new BuilderError('IN_USE', { operation: 'pack layer', object, reason, hint: 'stop what is writing it' })
}
