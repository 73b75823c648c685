import { readFileSync } from 'node:fs'
import { parsePackageLock } from '../../distro/package-lock.js'
import type { Step } from '../../steps/step.js'
import type { ContainerRecord } from '../../store/containers.js'
import type { Store } from '../../store/store.js'
import { beginStep } from '../step/step.js'

/** A request that is a step of a container made by `from --layers`. */
export interface LockedStep<Done> {
  /** It was carried out before, and the container has what came of it. */
  readonly done?: Done
  /** When it is over; without what was done when it failed. */
  end(done: Done | undefined): Promise<void>
}

/** What a package manager is asked for. */
export interface LockedWish<Done> {
  readonly verb: 'apt' | 'dnf'
  /** Its words. */
  readonly words: readonly string[]
  /** Absolute path of its lock file. */
  readonly lock: string | undefined
  /** What its packages come from: `sources`. */
  readonly from: string
  /** What decides the result; gets the digests of the lock's packages. */
  readonly inputs: (locked: readonly string[]) => Step['inputs']
  /** What of the result is kept. */
  readonly kept: (done: Done) => Done
  /** The result of which nothing was kept. */
  readonly nothing: Done
  readonly signal: AbortSignal | undefined
}

/**
 * Looks up a request in a container with steps; undefined in one without. Only a lock says all that decides the result: without
 * one the packages may be others next time.
 */
export async function beginLockedStep<Done>(
  store: Store,
  record: ContainerRecord,
  { verb, words, lock, from, inputs, kept, nothing, signal }: LockedWish<Done>,
): Promise<LockedStep<Done> | undefined> {
  const said = [verb, ...words].join(' ')
  const locked = lockedIn(lock)
  const unkept = locked === undefined ? `without a lock the ${from} decide what it installs` : undefined
  const wish = { verb, said, unkept, inputs: [async () => inputs(locked ?? [])], createdBy: () => said, told: said }
  const step = await beginStep(store, record, wish, signal)
  if (!step) return undefined
  const before = step.hit?.output?.stdout
  const output = (done: Done) => ({ stdout: JSON.stringify(kept(done)), stderr: '', exitCode: 0 })
  return {
    ...(step.hit ? { done: before ? (JSON.parse(before) as Done) : nothing } : {}),
    end: (done) => step.end(done ? { state: 'done', output: output(done) } : { state: 'failed' }),
  }
}

/** The lock's packages, as far as there is one that can be read; who uses it says what is wrong with it. */
function lockedIn(lock: string | undefined): readonly string[] | undefined {
  if (lock === undefined) return undefined
  try {
    return parsePackageLock(readFileSync(lock, 'utf8'), lock).packages.map(({ checksum }) => checksum)
  } catch {
    return undefined
  }
}
