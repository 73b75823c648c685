import { setMaxListeners } from 'node:events'
import { chmodSync, constants, existsSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { basename, join } from 'node:path'
import { type Asker, readAsker } from './asker.js'
import { descriptorLimit } from './descriptor-limit.js'
import { Interrupts } from './interrupts.js'
import { bootID, isAlive, type ProcessIdentity, startTimeOf } from './process.js'
import { onProcessEnd } from './process-end.js'
import { isServing } from './session-messages.js'
import { type Script, serveScript } from './session-script.js'
import { Slot } from './session-slot.js'

/** What a launcher asks, and how it is answered. */
export interface SessionRequest {
  readonly asker: Asker
  readonly process: ProcessIdentity
  /** Fires when the launcher is gone, or the session ends. */
  readonly signal: AbortSignal
  /** Gives the launcher its last words: it is done, or becomes a program. See bin/builder for their form. */
  answer(text: string): Promise<void>
  /**
   * Resolves when the process that the launcher has become is gone. `keeps` says that it has kept the launcher's FIFO
   * open, and with it nobody else does.
   */
  ended(keeps: boolean): Promise<void>
}

export interface SessionOptions {
  /** Where the session's folder is made, named by this process. */
  readonly parent: string
  /** The process that the session belongs to: it ends with it. When absent, that process says so on the control FIFO. */
  readonly owner: number | undefined
  /** Answers a launcher; what it throws ends up at nobody, so it must not. */
  readonly handle: (request: SessionRequest) => Promise<void>
  /** What does the work of one script that calls; each gets its own. */
  readonly script: () => Script
  /** The last thing to do, when all requests have ended or were given up. */
  readonly onEnd: () => Promise<void>
}

/**
 * Serves a session: launchers of the same user ask in its folder, from now until its owner is gone. Returns the folder.
 * Nothing listens on a socket, and nobody else can enter: the folder's mode is 0700.
 */
export function serveSession(options: SessionOptions): string {
  const folder = join(options.parent, `${process.pid}`)
  removeDead(options.parent)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { mode: 0o700 })
  // The umask may have taken the owner's own rights.
  chmodSync(folder, 0o700)
  writeFileSync(join(folder, 'engine'), `${process.pid} ${startTimeOf(process.pid)} ${bootID()}\n`)
  new Session(folder, options).open()
  return folder
}

type By = Pick<SessionRequest, 'asker' | 'process'>

class Session {
  readonly #folder: string
  readonly #options: SessionOptions
  readonly #slots: Slot[] = []
  /** Requests under way, each with a look whether its launcher, or the program that this became, has ended. */
  readonly #requests = new Map<Promise<void>, { settle: () => boolean }>()
  readonly #ending = new AbortController()
  readonly #interrupts = new Interrupts()
  #unwatch = () => {}
  #freeing: NodeJS.Timeout | undefined

  constructor(folder: string, options: SessionOptions) {
    this.#folder = folder
    this.#options = options
  }

  open(): void {
    // As many programs may run at once as there are places.
    setMaxListeners(0, this.#ending.signal)
    this.#addFirstSlots()
    this.#listen()
    // The terminal's signals are for the script, which decides whether to end.
    for (const signal of ['SIGHUP', 'SIGTSTP', 'SIGQUIT'] as const) process.on(signal, () => {})
    process.on('SIGTERM', () => void this.#end())
    const { owner } = this.#options
    const timer = owner === undefined ? setTimeout(() => void this.#end(), ownerGrace) : undefined
    this.#unwatch = () => clearTimeout(timer)
    if (owner !== undefined) this.#watchOwner(owner)
  }

  #addSlots(count: number): void {
    for (let i = 0; i < count && this.#slots.length < mostSlots(); i++) {
      const asked = (line: string, slot: Slot) => void this.#take(line, slot)
      this.#slots.push(new Slot(this.#folder, this.#slots.length + 1, asked))
    }
  }

  async #take(line: string, slot: Slot): Promise<void> {
    // Launchers take the first that is free: whoever took one before this and does not ask may have been killed.
    if (this.#slots.slice(0, this.#slots.indexOf(slot)).some((before) => !before.isAsked)) this.#freeForgotten()
    if (line === 'call') return this.#hold(serveScript(slot, this.#options.script(), this.#ending.signal))
    // Of this launcher: the next one in the same place has another.
    const { gone } = slot
    const [pid = 0, count = -1] = line.split(' ').map(Number)
    const asker = slot.isHeldBy(pid) && count >= 0 ? readAsker(pid, count) : undefined
    if (!asker || this.#ending.signal.aborted) return slot.answer('0 cold\n', gone)
    await this.#settled()
    if (gone.aborted) return
    const process = identity(asker.pid)
    const state = { settle: () => !isAlive(process) }
    const request = this.#requestOf({ asker, process }, slot, gone, state)
    this.#hold(
      this.#options.handle(request).catch((error) => giveUp(error, request)),
      state,
    )
  }

  /** The session does not end before its work has. */
  #hold(doing: Promise<void>, state = { settle: () => false }): void {
    const work = doing.finally(() => this.#requests.delete(work))
    this.#requests.set(work, state)
  }

  #requestOf(by: By, slot: Slot, gone: AbortSignal, state: { settle: () => boolean }): SessionRequest {
    const { process } = by
    return {
      ...by,
      signal: AbortSignal.any([gone, this.#ending.signal]),
      answer: (text) => slot.answer(text, gone),
      ended: (keeps) =>
        new Promise((resolve) => {
          let timer: NodeJS.Timeout | undefined
          const unwatch = keeps ? this.#interrupts.watch(process) : () => {}
          const done = () => {
            unwatch()
            clearInterval(timer)
            this.#ending.signal.removeEventListener('abort', done)
            resolve()
          }
          if (keeps) gone.addEventListener('abort', done)
          this.#ending.signal.addEventListener('abort', done)
          // With its owner the session ends: nobody has to look.
          if (process.pid === this.#options.owner) return
          state.settle = () => {
            if (isAlive(process)) return false
            done()
            return true
          }
          timer = keeps ? undefined : setInterval(state.settle, interval)
        }),
    }
  }

  /**
   * The next verb comes as soon as a command has ended or a launcher was killed, maybe before the FIFO tells: what it left
   * is tidied up first. What cannot come to its end holds up one verb, and not for ever.
   */
  async #settled(): Promise<void> {
    const over = [...this.#requests].filter(([, { settle }]) => settle())
    if (over.length === 0) return
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience)
    })
    await Promise.race([Promise.allSettled(over.map(([work]) => work)), tooLong])
    clearTimeout(timer)
    for (const [, state] of over) state.settle = () => false
  }

  /** `more`: all slots are taken. `owner PID`: the session belongs to another process. */
  #listen(): void {
    const path = join(this.#folder, 'control')
    Slot.makeFifo(path)
    const control = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), writable: false })
    control.on('data', (text) => {
      for (const line of text.toString('latin1').split('\n')) {
        const [word, pid] = line.split(' ')
        if (word === 'more') this.#makeRoom()
        if (word === 'owner' && startTimeOf(Number(pid))) this.#watchOwner(Number(pid))
      }
    })
  }

  /** As many as the disk has room for. Throws the system's error when it has room for none. */
  #addFirstSlots(): void {
    try {
      this.#addSlots(firstSlots)
    } catch (error) {
      if (this.#slots.length === 0) throw error
    }
  }

  /**
   * All who find no place say so; there are new ones already when the second is heard. Places taken by launchers that
   * were killed before they asked are free again.
   */
  #makeRoom(): void {
    try {
      // They are taken from the first on.
      if (this.#slots.at(-1)?.isTaken) this.#addSlots(this.#slots.length)
    } catch {
      // The disk is full: who finds no place does without the engine.
    }
    this.#freeForgotten()
  }

  /** Not before what those who did ask left has been seen, and again while somebody may be about to ask. */
  #freeForgotten(): void {
    this.#freeing ??= setTimeout(() => {
      this.#freeing = undefined
      if (this.#slots.filter((slot) => slot.freeIfForgotten()).length > 0) this.#freeForgotten()
    }, interval)
  }

  #watchOwner(pid: number): void {
    this.#unwatch()
    this.#unwatch = onProcessEnd(identity(pid), () => void this.#end())
  }

  async #end(): Promise<void> {
    if (this.#ending.signal.aborted) return
    setTimeout(() => this.#leave(), grace)
    this.#ending.abort()
    await Promise.allSettled(this.#requests.keys())
    await this.#options.onEnd().catch(() => {})
    this.#leave()
  }

  /** By a signal: an exit would wait for threads, and one may stand before a FIFO that nobody opens or reads. Who listens for the exit hears of it. */
  #leave(): void {
    rmSync(this.#folder, { recursive: true, force: true })
    process.emit('exit', 0)
    process.kill(process.pid, 'SIGKILL')
  }
}

/** What nobody expected in one verb must not end the others. */
function giveUp(error: unknown, request: SessionRequest): Promise<void> {
  process.stderr.write(`builder: the session's engine: ${error instanceof Error ? error.stack : String(error)}\n`)
  return request.answer('125 -\n')
}

/** Folders of engines that were killed. */
function removeDead(parent: string): void {
  for (const name of readdirSync(parent)) {
    const folder = join(parent, name)
    if (/^\d+$/.test(name) && !isEngine(folder)) rmSync(folder, { recursive: true, force: true })
  }
}

/** One that is just starting has not said so yet. */
function isEngine(folder: string): boolean {
  return isServing(folder) || (!existsSync(join(folder, 'engine')) && existsSync(`/proc/${basename(folder)}`))
}

function identity(pid: number): ProcessIdentity {
  return { pid, startTime: startTimeOf(pid) ?? '', bootID: bootID() }
}

const firstSlots = 32
/** Each needs two descriptors; as many again are left for the work. */
const mostSlots = () => Math.min(512, Math.max(1, Math.floor((descriptorLimit() - ownDescriptors) / 4)))
/** What Node and the engine have open before the first verb comes. */
const ownDescriptors = 28
/** Milliseconds between two looks at a process that cannot tell when it ends. */
const interval = 200
/** Milliseconds that the next verb waits for what a killed launcher left half-made. */
const patience = 5000
/** Milliseconds that a shell has to evaluate what it was told. */
const ownerGrace = 5000
/** Milliseconds that work which was stopped has to tidy up. */
const grace = 10_000
