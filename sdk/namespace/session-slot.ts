import { closeSync, constants, existsSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { mknod } from './libc.js'
import { startTimeOf } from './process.js'

/**
 * A place in a session's folder where one launcher at a time asks: the launcher takes it by making `N.taken`, writes a
 * line into the FIFO `N.up`, and reads the answer from the FIFO `N.down`. It keeps `N.up` open as long as it lives, which
 * tells the engine when it is gone; the engine keeps `N.down` open, which tells the launcher when the engine is.
 */
export class Slot {
  /** What is asked by whom; a new one for each launcher. */
  #asked: ((line: string, slot: Slot) => void) | undefined
  readonly #base: string
  #down: number | undefined
  #up: Socket | undefined
  #isAsked = false
  #behind: Buffer = Buffer.alloc(0)
  #gone = new AbortController()

  /** Throws a system error where there is no room for its files, and leaves none. */
  constructor(folder: string, number: number, asked: (line: string, slot: Slot) => void) {
    this.#base = join(folder, `${number}`)
    this.#asked = asked
    try {
      Slot.makeFifo(`${this.#base}.down`)
      this.#openDown()
      // A launcher that finds N.up finds the other in use.
      Slot.makeFifo(`${this.#base}.up`)
      this.#listen()
    } catch (error) {
      this.close()
      for (const end of ['up', 'down']) rmSync(`${this.#base}.${end}`, { force: true })
      throw error
    }
  }

  /** Fires when the launcher of this time, and whatever it became, is gone. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  get isTaken(): boolean {
    return existsSync(`${this.#base}.taken`)
  }

  /** The open FIFO that proves of a process that it is the launcher. */
  isHeldBy(pid: number): boolean {
    try {
      const [own, other] = [statSync(`${this.#base}.up`), statSync(`/proc/${pid}/fd/${launcherEnd}`)]
      return own.ino === other.ino && own.dev === other.dev
    } catch {
      return false
    }
  }

  /**
   * Gives the launcher its answer, whose end it sees. A long one waits for it to read, and ends early when it is gone: `signal`
   * is {@link gone} of its time.
   */
  async answer(text: string, signal: AbortSignal): Promise<void> {
    await this.write(text, signal)
    if (!signal.aborted) this.#closeDown()
  }

  /** Calls back for all that comes behind the first line, also for what came together with it. */
  onData(take: (chunk: Buffer) => void): void {
    if (this.#behind.length > 0) take(this.#behind)
    this.#up?.on('data', take)
  }

  /** Writes without an end; one at a time. */
  async write(text: string, signal: AbortSignal): Promise<void> {
    let rest: Uint8Array = Buffer.from(text)
    while (rest.length > 0 && !signal.aborted) {
      try {
        rest = rest.subarray(writeSync(this.#down as number, rest))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
  }

  /** Whether somebody has asked here, and is not gone. */
  get isAsked(): boolean {
    return this.#isAsked
  }

  /**
   * Takes the place back when whoever took it never asked and is gone, or could not even say who it is; of those who asked,
   * their FIFO tells. Returns whether it is too early to say: then somebody may be about to ask.
   */
  freeIfForgotten(): boolean {
    const path = `${this.#base}.taken`
    const taken = statSync(path, { throwIfNoEntry: false })
    if (!taken || this.#isAsked) return false
    if (Date.now() - taken.mtimeMs < oldClaim) return true
    const pid = Number(readFileSync(path, 'latin1'))
    if (startTimeOf(pid) !== undefined) return true
    rmSync(path, { force: true })
    return false
  }

  static makeFifo(path: string): void {
    mknod(path, 0o010600)
  }

  close(): void {
    this.#asked = undefined
    this.#up?.destroy()
    this.#closeDown()
  }

  #closeDown(): void {
    if (this.#down !== undefined) closeSync(this.#down)
    this.#down = undefined
  }

  #openDown(): void {
    this.#down = openSync(`${this.#base}.down`, constants.O_RDWR | constants.O_NONBLOCK)
  }

  #listen(): void {
    const descriptor = openSync(`${this.#base}.up`, constants.O_RDONLY | constants.O_NONBLOCK)
    const up = new Socket({ fd: descriptor, readable: true, writable: false })
    let heard = ''
    this.#isAsked = false
    up.on('data', (chunk) => {
      this.#isAsked = true
      if (heard.includes('\n') || heard.length > lineLimit) return
      heard += chunk.toString('latin1')
      const end = heard.indexOf('\n')
      if (end < 0) return
      this.#behind = Buffer.from(heard.slice(end + 1), 'latin1')
      this.#asked?.(heard.slice(0, end), this)
      this.#behind = Buffer.alloc(0)
    })
    up.on('error', () => {})
    up.on('close', () => this.#asked && this.#renew())
    this.#up = up
  }

  /** Nobody has the FIFOs open now, so they are empty, and the next launcher may come. */
  #renew(): void {
    const before = this.#gone
    this.#gone = new AbortController()
    before.abort()
    this.#closeDown()
    try {
      this.#openDown()
      this.#listen()
      rmSync(`${this.#base}.taken`, { force: true })
    } catch {
      // Somebody removed the folder: nobody can come here any more.
      this.close()
    }
  }
}

/** The descriptor under which the launcher keeps `N.up` open; bin/builder has the same number. */
const launcherEnd = 8
/** Milliseconds after which a launcher has written its number into the file that it made, and what it asked has come. */
const oldClaim = 1000
/** Two numbers and a blank. */
const lineLimit = 64
