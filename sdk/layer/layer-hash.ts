import { createHash, type Hash } from 'node:crypto'
import { isMainThread, Worker } from 'node:worker_threads'
import { BuilderError } from '../errors.js'
import type { Digest } from '../image/digest.js'

/** Bytes of a slot, which are the bytes of a chunk of a tar. */
export const slotSize = 1024 * 1024

/**
 * The sha256 of a layer, made by another thread while this one reads or writes files: on two cores packing 600 MB takes
 * two thirds of the time. A layer that fits the slots is hashed here, for starting a thread takes longer, and so is what
 * a thread writes that works beside others.
 */
export class LayerHash implements Disposable {
  readonly #slots: Slot[] = []
  /** Filled slots, as long as there is no other thread. */
  readonly #waiting: Slot[] = []
  #size = 0
  #partial: Slot | undefined
  #worker: Worker | undefined
  #failure: unknown
  #changed: (() => void) | undefined
  #answer: string | undefined
  #own: Hash | undefined

  /** Bytes so far. */
  get size(): number {
    return this.#size
  }

  /** A buffer to fill, shared with the other thread. There is one before the first {@link add} and after each. */
  slot(): Buffer {
    return this.#free().buffer
  }

  /** Adds the start of a buffer that {@link slot} gave. Resolves when there is another slot. */
  async add(bytes: Buffer): Promise<void> {
    const slot = this.#slots.find(({ buffer }) => buffer.buffer === bytes.buffer)
    if (!slot) throw new TypeError('not a slot of this hash')
    slot.length = bytes.length
    this.#size += bytes.length
    await this.#hand(slot)
  }

  /** Adds any bytes, by copying them into slots. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#size += bytes.length
    if (!isMainThread) {
      this.#own ??= createHash('sha256')
      this.#own.update(bytes)
      return
    }
    for (let done = 0; done < bytes.length; ) {
      this.#partial ??= this.#free()
      const step = Math.min(bytes.length - done, slotSize - this.#partial.length)
      this.#partial.buffer.set(bytes.subarray(done, done + step), this.#partial.length)
      this.#partial.length += step
      done += step
      if (this.#partial.length === slotSize) await this.#handPartial()
    }
  }

  async digest(): Promise<Digest> {
    if (this.#own) return `sha256:${this.#own.digest('hex')}`
    await this.#handPartial()
    if (!this.#worker) {
      const hash = createHash('sha256')
      for (const { buffer, length } of this.#waiting) hash.update(buffer.subarray(0, length))
      return `sha256:${hash.digest('hex')}`
    }
    this.#worker.postMessage('digest')
    return `sha256:${await this.#until(() => this.#answer)}`
  }

  [Symbol.dispose](): void {
    this.#worker?.terminate()
  }

  #free(): Slot {
    const free = this.#slots.find(({ length }) => length === 0)
    if (free) return free
    const slot = { index: this.#slots.length, buffer: Buffer.from(new SharedArrayBuffer(slotSize)), length: 0 }
    this.#slots.push(slot)
    return slot
  }

  async #handPartial(): Promise<void> {
    const slot = this.#partial
    this.#partial = undefined
    if (slot) await this.#hand(slot)
  }

  async #hand(slot: Slot): Promise<void> {
    this.#waiting.push(slot)
    if (!this.#worker && this.#waiting.length < slotCount) return
    this.#worker ??= this.#start()
    for (const { index, length } of this.#waiting.splice(0)) this.#worker.postMessage([index, length])
    await this.#until(() => this.#slots.find(({ length }) => length === 0))
  }

  #start(): Worker {
    const workerData = this.#slots.map(({ buffer }) => buffer)
    // As text, for a bundle has no file of its own for a thread.
    const worker = new Worker(program, { eval: true, workerData, execArgv: [], env: {}, name: 'layer-hash' })
    worker.on('message', (message: number | string) => {
      const slot = typeof message === 'number' ? this.#slots[message] : undefined
      if (slot) slot.length = 0
      else this.#answer = String(message)
      this.#changed?.()
    })
    worker.on('error', (cause) => {
      this.#failure = cause
      this.#changed?.()
    })
    return worker
  }

  /** Waits for messages until a value is there; throws when the other thread has failed. */
  async #until<Value>(value: () => Value | undefined): Promise<Value> {
    for (;;) {
      if (this.#failure)
        throw new BuilderError('SYSTEM', {
          operation: 'hash layer',
          object: '',
          reason: 'its thread ended',
          cause: this.#failure,
        })
      const there = value()
      if (there !== undefined) return there
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }
}

interface Slot {
  readonly index: number
  readonly buffer: Buffer
  /** Bytes in it that are still to be hashed; 0 when it is free. */
  length: number
}

/** How many slots there are: what may be read ahead of the hash. */
const slotCount = 8

/** Takes a slot's index and length and answers the index when it is hashed; takes `digest` and answers it in hexadecimal. */
const program = `
const { parentPort, workerData } = require('node:worker_threads')
const hash = require('node:crypto').createHash('sha256')
parentPort.on('message', (message) => {
  if (message === 'digest') return parentPort.postMessage(hash.digest('hex'))
  const [index, length] = message
  hash.update(workerData[index].subarray(0, length))
  parentPort.postMessage(index)
})`
