import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { BuilderError } from '../errors.js'
import { deflateModule } from './pinned-deflate.gen.js'

/** A block to compress: `window` bytes of those before it, then its own. The buffer is gone once it is started. */
export interface Job {
  readonly format: 'gzip' | 'zstd'
  readonly level: number
  readonly block: Uint8Array<ArrayBuffer>
  readonly window: number
}

export interface CompressedBlock {
  readonly bytes: Uint8Array
  /** Of the block's own bytes before they were compressed, for gzip; and how many they are. */
  readonly crc: number
  readonly size: number
}

/** Threads that compress. Everything in this process that compresses with as many threads shares them. */
export interface CompressPool {
  readonly threads: number
  /** Resolves when a thread has or soon will have time; then `result` is on its way. */
  start(job: Job): Promise<{ readonly result: Promise<CompressedBlock> }>
}

/** The pool of so many threads. They end soon after nobody needs them any more. */
export function withPool(threads: number): Disposable & { readonly pool: CompressPool } {
  const shared = pools.get(threads) ?? { pool: new Threads(Math.max(1, threads)), users: 0, ending: undefined }
  pools.set(threads, shared)
  clearTimeout(shared.ending)
  shared.users++
  return {
    pool: shared.pool,
    [Symbol.dispose]() {
      if (--shared.users > 0) return
      shared.ending = setTimeout(() => {
        pools.delete(threads)
        shared.pool.end()
      }, lingering).unref()
    },
  }
}

interface Shared {
  readonly pool: Threads
  users: number
  ending: NodeJS.Timeout | undefined
}

const pools = new Map<number, Shared>()
/** Milliseconds: the next layer should not wait for threads to start. */
const lingering = 1000

interface Task {
  readonly job: Job
  readonly resolve: (block: CompressedBlock) => void
  readonly reject: (error: unknown) => void
}

class Threads implements CompressPool {
  readonly threads: number
  readonly #workers: Worker[] = []
  readonly #idle: Worker[] = []
  readonly #tasks = new Map<Worker, Task>()
  readonly #waiting: Task[] = []
  readonly #turns: (() => void)[] = []
  #failure: unknown

  constructor(threads: number) {
    this.threads = threads
  }

  async start(job: Job) {
    // A thread that is done finds the next block waiting.
    while (this.#waiting.length > 1) await new Promise<void>((resolve) => this.#turns.push(resolve))
    if (this.#failure) throw this.#failure
    const result = new Promise<CompressedBlock>((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject })
    })
    // Whoever waits for it hears of it; nobody may.
    result.catch(() => {})
    this.#next()
    return { result }
  }

  end(): void {
    for (const worker of this.#workers) worker.terminate()
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#idle.pop() ?? (this.#workers.length < this.threads ? this.#newWorker() : undefined)
      if (!worker) return
      const task = this.#waiting.shift() as Task
      this.#tasks.set(worker, task)
      // A thread without work does not keep the process.
      worker.ref()
      worker.postMessage(task.job, [task.job.block.buffer])
      this.#turns.shift()?.()
    }
  }

  #newWorker(): Worker {
    // As text, for a bundle has no file of its own for a thread.
    const options = { eval: true, workerData: newWorkerData(), execArgv: [], env: {}, name: 'compress' }
    const worker = new Worker(program, options)
    worker.on('message', (block: CompressedBlock) => {
      this.#tasks.get(worker)?.resolve(block)
      this.#tasks.delete(worker)
      this.#idle.push(worker)
      worker.unref()
      this.#next()
    })
    worker.on('error', (cause) => this.#fail(cause))
    this.#workers.push(worker)
    return worker
  }

  #fail(cause: unknown): void {
    const reason = `its thread ended: ${cause instanceof Error ? cause.message : cause}`
    this.#failure = new BuilderError('SYSTEM', { operation: 'compress', object: 'layer', reason, cause })
    for (const { reject } of [...this.#tasks.values(), ...this.#waiting.splice(0)]) reject(this.#failure)
    for (const turn of this.#turns.splice(0)) turn()
  }
}

function newWorkerData() {
  // The package is found from here, for text has no place of its own to look from.
  const zstd = createRequire(import.meta.url).resolve('@bokuweb/zstd-wasm')
  return { deflate: Buffer.from(deflateModule, 'base64'), zstd }
}

const program = `
const { parentPort, workerData } = require('node:worker_threads')
let zstd
async function byZstd({ level, block }) {
  if (!zstd) {
    zstd = require(workerData.zstd)
    await zstd.init()
  }
  return { bytes: zstd.compress(block, level), crc: 0, size: block.length }
}
let deflate
function byDeflate({ level, block, window }) {
  deflate ??= new WebAssembly.Instance(new WebAssembly.Module(workerData.deflate)).exports
  const memory = new Uint8Array(deflate.memory.buffer)
  memory.set(block, deflate.input())
  const size = block.length - window
  const crc = deflate.crc32(window, size) >>> 0
  const length = deflate.deflate(window, size, level)
  return { bytes: memory.slice(deflate.output(), deflate.output() + length), crc, size }
}
parentPort.on('message', async (job) => {
  const block = await (job.format === 'zstd' ? byZstd(job) : byDeflate(job))
  parentPort.postMessage(block, [block.bytes.buffer])
})`
