import { closeSync, constants, openSync, readSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { blockSize, paddingOf } from './header.js'
import { readable } from './names.js'
import type { TreeEntry } from './walk.js'

/** Collects the bytes of a tar into chunks of 1 MiB. */
export class Chunks {
  readonly #keep: boolean
  #chunk = Buffer.allocUnsafeSlow(chunkSize)
  #used = 0

  constructor(keep: boolean) {
    this.#keep = keep
  }

  *put(bytes: Readonly<Buffer>): Generator<Buffer> {
    for (let done = 0; done < bytes.length; ) {
      const copied = (bytes as Buffer).copy(this.#chunk, this.#used, done)
      done += copied
      this.#used += copied
      if (this.#used === chunkSize) yield this.#full()
    }
  }

  /** The content of a file and its padding. Reads as many bytes as the header promised, whatever happens to the file. */
  *content(entry: TreeEntry): Generator<Buffer> {
    const file = openSync(entry.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      for (let left = entry.size; left > 0; ) {
        const got = readSync(file, this.#chunk, this.#used, Math.min(left, chunkSize - this.#used), null)
        if (got === 0) throw shrank(entry)
        left -= got
        this.#used += got
        if (this.#used === chunkSize) yield this.#full()
      }
    } finally {
      closeSync(file)
    }
    // A chunk is whole blocks, so the padding fits.
    const padding = paddingOf(entry.size)
    this.#chunk.fill(0, this.#used, this.#used + padding)
    this.#used += padding
    if (this.#used === chunkSize) yield this.#full()
  }

  rest(): Buffer {
    return this.#chunk.subarray(0, this.#used)
  }

  #full(): Buffer {
    const full = this.#chunk
    if (this.#keep) this.#chunk = Buffer.allocUnsafeSlow(chunkSize)
    this.#used = 0
    return full
  }
}

const chunkSize = 2048 * blockSize

function shrank(entry: TreeEntry): BuilderError {
  const object = readable(`/${entry.name}`)
  const reason = 'it became shorter while it was read'
  return new BuilderError('IN_USE', { operation: 'pack layer', object, reason, hint: 'stop what is writing it' })
}
