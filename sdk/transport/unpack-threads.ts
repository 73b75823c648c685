import { availableParallelism } from 'node:os'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import { BuilderError, fromWire, type WireError } from '../errors.js'
import { untilAborted } from '../layer/abort.js'
import type { Store } from '../store/store.js'
import type { Bounded } from './arrival.js'

/** What a thread is told of a layer: what comes, its bytes, and that there are no more. */
export type ToThread =
  | { readonly id: number; readonly store: Store; readonly arrival: Omit<Bounded, 'stream' | 'signal'> }
  | { readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly end: 'whole' | 'broken' }

/** What it answers: how many bytes were used, or that it has ended, well or with an error. */
export type FromThread =
  | { readonly id: number; readonly used: number }
  | { readonly id: number; readonly ended: true; readonly error?: WireError }

/** False where a thread would only be in the way: with a single processor, and for a layer that is soon done. */
export function isWorthThread(size: number): boolean {
  return size >= worthwhile && availableParallelism() > 1
}

/** Bytes of a blob. To start a thread takes 40 ms, in which as much is unpacked. */
const worthwhile = 4 * 1024 * 1024

/**
 * Unpacks a layer in another thread, which hashes, writes, decompresses and unpacks it; this one only brings the bytes.
 * There are as many threads as processors, at most four, and layers share them. Throws what unpacking and the stream
 * throw, once the thread has let go of everything.
 */
export async function unpackInThread(store: Store, { stream, signal, ...arrival }: Bounded): Promise<void> {
  const task = leastBusy().begin(store, arrival)
  const stop = signal ? AbortSignal.any([signal, task.ending]) : task.ending
  try {
    for await (const bytes of gathered(untilAborted(stream, stop, 'unpack layer', arrival.blob.digest)))
      await task.push(bytes)
    task.end('whole')
  } catch (error) {
    if (task.ending.aborted) await task.ended
    task.end('broken')
    await task.ended.catch(() => {})
    throw error
  }
  await task.ended
}

/** The same bytes in pieces that are worth a message, copied: the memory of each is the thread's then. */
async function* gathered(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let piece = new Uint8Array(pieceSize)
  let filled = 0
  for await (const chunk of stream)
    for (let done = 0; done < chunk.length; ) {
      const step = Math.min(chunk.length - done, pieceSize - filled)
      piece.set(chunk.subarray(done, done + step), filled)
      done += step
      filled += step
      if (filled < pieceSize) continue
      yield piece
      piece = new Uint8Array(pieceSize)
      filled = 0
    }
  if (filled > 0) yield piece.subarray(0, filled)
}

const pieceSize = 256 * 1024
/** Bytes of a layer that may wait for its thread. */
const patience = 4 * pieceSize

function leastBusy(): Thread {
  const found = threads.reduce<Thread | undefined>(
    (best, it) => (best && best.tasks <= it.tasks ? best : it),
    undefined,
  )
  if (found && (found.tasks === 0 || threads.length >= Math.min(availableParallelism(), most))) return found
  const thread = new Thread(() => threads.splice(threads.indexOf(thread), 1))
  threads.push(thread)
  return thread
}

const threads: Thread[] = []
const most = 4
/** Milliseconds: the next layer should not wait for a thread to start. */
const lingering = 1000

/** A layer that a thread is at work on. */
interface Task {
  /** Aborted when the thread wants no more bytes. */
  readonly ending: AbortSignal
  readonly ended: Promise<void>
  /** Resolves when there is room for more. */
  push(bytes: Uint8Array<ArrayBuffer>): Promise<void>
  end(how: 'whole' | 'broken'): void
}

interface Progress {
  waiting: number
  room: () => void
  end(error?: unknown): void
}

class Thread {
  readonly #worker: Worker
  readonly #tasks = new Map<number, Progress>()
  readonly #onGone: () => void
  #lingering: NodeJS.Timeout | undefined
  #lastID = 0

  constructor(onGone: () => void) {
    this.#onGone = onGone
    this.#worker = new Worker(new URL('./unpack-thread.js', import.meta.url), {
      execArgv: [],
      env: SHARE_ENV,
      name: 'unpack',
    })
    this.#worker.on('message', (message: FromThread) => this.#hear(message))
    this.#worker.on('error', (cause) => this.#fail(cause))
  }

  get tasks(): number {
    return this.#tasks.size
  }

  begin(store: Store, arrival: Omit<Bounded, 'stream' | 'signal'>): Task {
    const id = ++this.#lastID
    const ending = new AbortController()
    const progress: Progress = { waiting: 0, room: () => {}, end: () => {} }
    const ended = new Promise<void>((resolve, reject) => {
      progress.end = (error) => {
        this.#tasks.delete(id)
        if (error === undefined) resolve()
        else reject(error)
        ending.abort()
        progress.room()
        if (this.#tasks.size === 0) this.#rest()
      }
    })
    // Whoever waits for it hears of it; for a while nobody does.
    ended.catch(() => {})
    clearTimeout(this.#lingering)
    this.#worker.ref()
    this.#tasks.set(id, progress)
    this.#send({ id, store, arrival })
    return {
      ending: ending.signal,
      ended,
      push: async (bytes) => {
        progress.waiting += bytes.length
        this.#send({ id, bytes }, [bytes.buffer])
        while (progress.waiting > patience && this.#tasks.has(id))
          await new Promise<void>((resolve) => {
            progress.room = resolve
          })
      },
      end: (how) => this.#send({ id, end: how }),
    }
  }

  #send(message: ToThread, moved: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, moved)
  }

  #hear(message: FromThread): void {
    const progress = this.#tasks.get(message.id)
    if (!progress) return
    if ('ended' in message) progress.end(message.error && fromWire(message.error))
    else {
      progress.waiting -= message.used
      progress.room()
    }
  }

  /** A thread without work does not keep the process, and ends soon. */
  #rest(): void {
    this.#worker.unref()
    this.#lingering = setTimeout(() => {
      this.#onGone()
      this.#worker.terminate()
    }, lingering).unref()
  }

  #fail(cause: unknown): void {
    this.#onGone()
    const reason = `its thread ended: ${cause instanceof Error ? cause.message : cause}`
    const error = new BuilderError('SYSTEM', { operation: 'unpack layer', object: '', reason, cause })
    for (const { end } of [...this.#tasks.values()]) end(error)
  }
}
