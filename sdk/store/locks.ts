import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { asBuilderError, BuilderError, printable } from '../errors.js'
import { caller } from '../namespace/caller.js'
import { type Attempt, dropLockFile, type LockOwner, newClaim, readLockFile, takeLockFile } from './lock-file.js'
import { isGone } from './owner.js'
import type { StoreRoot } from './temporary.js'

/** How a lock is taken. */
export interface LockOptions {
  /** Together with others that share it; excludes only those who do not. */
  readonly shared?: boolean
  readonly signal?: AbortSignal
  /** `false`: fail at once when somebody holds it. */
  readonly wait?: boolean
  /** What it is held for, as a waiter may read it: `commit web`. */
  readonly purpose?: string
}

/** A lock that is held until it is released or disposed. */
export interface HeldLock extends AsyncDisposable {
  release(): void
}

/**
 * Runs a task under a named lock of the store and gives back its result.
 *
 * Locks exclude tasks of one process as well as processes. They are not re-entrant, except that a shared one may be
 * taken again by who holds it shared. Who waits says so on stderr after two seconds. Throws `IN_USE` (with
 * `wait: false`), `ABORTED`, `SYSTEM`, and what the task throws.
 *
 * @example
 * ```ts
 * import { withLock } from './locks.js'
 * import { openStore } from './store.js'
 * const store = await openStore()
 * await withLock(store, 'index', async () => console.log('nobody else is here'), { purpose: 'tag web' })
 * ```
 */
export async function withLock<T>(
  store: StoreRoot,
  name: string,
  task: () => T | Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const lock = await acquireLock(store, name, options)
  try {
    return await task()
  } finally {
    lock.release()
  }
}

/** Takes a lock and keeps it, for work that is not one function. Throws as {@link withLock} does. */
export async function acquireLock(store: StoreRoot, name: string, options: LockOptions = {}): Promise<HeldLock> {
  const started = Date.now()
  let told = false
  for (let delay = 1; ; delay = Math.min(25, delay * 1.5)) {
    const attempt = attemptLock(store, name, options)
    const lock = attempt.lock ?? (attempt.gate && (await drained(attempt.gate, options)))
    if (lock) return lock
    if (options.wait === false && attempt.holder) throw held(name, attempt.holder)
    if (!told && attempt.holder && Date.now() - started > patience) {
      told = true
      caller().say(`builder: waiting for the lock ${name}: ${describe(attempt.holder)}\n`)
    }
    // Waiters that started together must not stay in step.
    await pause(delay * (0.5 + Math.random()), options)
  }
}

/** Takes a lock when nobody is in the way, otherwise undefined. Throws `SYSTEM`. */
export function tryLock(store: StoreRoot, name: string, options: LockOptions = {}): HeldLock | undefined {
  const { lock, gate } = attemptLock(store, name, options)
  if (gate !== undefined) dropLockFile(gate)
  return lock
}

/** Milliseconds that a waiter stays silent. */
const patience = 2000

interface LockAttempt extends Partial<Attempt> {
  readonly lock?: HeldLock
  /** A lock file that is taken, while some still share what is behind it. */
  readonly gate?: string
}

function attemptLock(store: StoreRoot, name: string, options: LockOptions): LockAttempt {
  const path = lockPath(store, name)
  const mine = newClaim(options.purpose ?? 'builder')
  try {
    if (options.shared && sharedHere.has(path)) return { lock: shareOnceMore(store, path, mine) }
    const gate = takeLockFile(store, path, mine)
    if (!gate.taken) return gate
    return options.shared ? share(path, mine) : exclude(path)
  } catch (error) {
    throw asBuilderError(error, 'lock', path)
  }
}

/** How often this process shares a lock at present. */
const sharedHere = new Map<string, number>()

/** While this process shares it nobody can have it alone, so it need not wait at the gate behind those who want to. */
function shareOnceMore(store: StoreRoot, path: string, mine: LockOwner): HeldLock {
  const own = join(`${path}.shared`, mine.token)
  takeLockFile(store, own, mine)
  return sharedLock(path, own)
}

/** The lock file is only the gate for those who share: it moves into their folder. */
function share(path: string, mine: LockOwner): LockAttempt {
  const own = join(`${path}.shared`, mine.token)
  try {
    renameSync(path, own)
  } catch {
    mkdirSync(`${path}.shared`, { recursive: true, mode: 0o700 })
    renameSync(path, own)
  }
  return { lock: sharedLock(path, own) }
}

function sharedLock(path: string, own: string): HeldLock {
  sharedHere.set(path, (sharedHere.get(path) ?? 0) + 1)
  return heldLock(own, () => {
    const left = (sharedHere.get(path) ?? 1) - 1
    if (left > 0) sharedHere.set(path, left)
    else sharedHere.delete(path)
  })
}

/** With the gate taken nobody new can come in, so it is enough to look who is inside. */
function exclude(path: string): LockAttempt {
  const holder = sharer(`${path}.shared`)
  return holder ? { holder, gate: path } : { lock: heldLock(path) }
}

/**
 * Keeps the gate shut for a moment, or many who share for a short time each would never let in who wants to be alone;
 * and no longer, or a child of who shares would wait for ever to share it too.
 */
async function drained(gate: string, options: LockOptions): Promise<HeldLock | undefined> {
  try {
    for (let turn = 0; options.wait !== false && turn < 10; turn++) {
      await pause(2, options)
      if (!sharer(`${gate}.shared`)) return heldLock(gate)
    }
  } catch (error) {
    dropLockFile(gate)
    throw error
  }
  dropLockFile(gate)
  return undefined
}

/** One of those who share; looks again when one left meanwhile, for it may have shared once more just before. */
function sharer(folder: string): LockOwner | undefined {
  for (let settled = false; !settled; ) {
    settled = true
    for (const name of entriesOf(folder)) {
      const path = join(folder, name)
      const holder = readLockFile(path)
      if (holder && !isGone(holder)) return holder
      if (holder) dropLockFile(path)
      else settled = false
    }
  }
  return undefined
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function heldLock(path: string, released = () => {}): HeldLock {
  let open = true
  const release = () => {
    if (!open) return
    open = false
    released()
    dropLockFile(path)
  }
  return { release, [Symbol.asyncDispose]: async () => release() }
}

function lockPath(store: StoreRoot, name: string): string {
  const plain = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/.test(name) && !/^(break|hash)-|\.shared$/.test(name)
  const file = plain ? name : `hash-${createHash('sha256').update(name).digest('hex')}`
  return join(store.root, 'locks', file)
}

async function pause(milliseconds: number, { signal, purpose = 'lock' }: LockOptions): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal ? { signal } : {})
  } catch (error) {
    throw asBuilderError(error, purpose)
  }
}

function held(name: string, holder: LockOwner): BuilderError {
  return new BuilderError('IN_USE', {
    operation: 'lock',
    object: name,
    reason: describe(holder),
    hint: 'try again when it is done',
  })
}

function describe({ pid, purpose }: LockOwner): string {
  const who = pid === process.pid ? 'this process' : `process ${pid}`
  return printable(`${who} holds it (${purpose.replaceAll('\n', ' ')})`)
}
