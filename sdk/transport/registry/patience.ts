import { setTimeout as sleep } from 'node:timers/promises'
import { BuilderError } from '../../errors.js'
import { tellRetry } from '../retries.js'

/** How long a registry is waited for, and how often it is asked again. Times are milliseconds. */
export interface Patience {
  /** How often one request is made before its failure counts. */
  readonly attempts: number
  /** The wait before the second attempt; it doubles each time, less up to a half by chance. */
  readonly delay: number
  /** The longest wait between two attempts; a registry that asks for more (Retry-After) is not waited for. */
  readonly longest: number
  /** How long a connection may bring nothing, or next to nothing. */
  readonly stall: number
}

/**
 * What is fair to a registry across the world and to a user at a prompt. `BUILDER_REGISTRY_TIMEOUT` says for how many seconds
 * a connection may bring nothing. Throws `USAGE`.
 */
export function usualPatience(): Patience {
  const given = process.env.BUILDER_REGISTRY_TIMEOUT
  if (given && !/^[1-9]\d{0,4}$/.test(given))
    throw new BuilderError('USAGE', {
      operation: 'read environment',
      object: `BUILDER_REGISTRY_TIMEOUT=${given}`,
      reason: 'it is not a number of seconds from 1 to 99999',
      hint: 'set it to a number such as 60, or unset it',
    })
  return { attempts: 5, delay: 300, longest: 60_000, stall: given ? Number(given) * 1000 : 60_000 }
}

/** A failure that may pass when one asks again, with the wait that the registry asked for. */
export class Passing extends Error {
  readonly failure: BuilderError
  readonly wait: number | undefined

  constructor(failure: BuilderError, wait?: number) {
    super(failure.message, { cause: failure })
    this.failure = failure
    this.wait = wait
  }
}

/** Does work until it succeeds, fails for good, or has failed too often. Throws a BuilderError, never {@link Passing}. */
export async function patiently<T>(
  work: () => Promise<T>,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Passing)) throw error
      if (attempt >= patience.attempts) throw error.failure
      await pause(error, attempt, patience, signal)
    }
  }
}

/** Waits before the attempt that follows. Throws what failed when the wait would be too long, or was stopped. */
export async function pause(
  { failure, wait }: Passing,
  attempt: number,
  { delay, longest }: Patience,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (wait !== undefined && wait > longest) throw impatient(failure, wait)
  const ours = Math.min(longest, delay * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
  const time = Math.max(ours, wait ?? 0)
  tellRetry({ reason: failure.reason, seconds: time / 1000 })
  await sleep(time, undefined, signal ? { signal } : {}).catch(() => {
    const { operation, object } = failure
    throw new BuilderError('ABORTED', {
      operation,
      object,
      reason: 'stopped before it was done',
      cause: signal?.reason,
    })
  })
}

/** The wait that a Retry-After header asks for: seconds or a date. Source: RFC 9110, section 10.2.3. */
export function retryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

function impatient({ code, operation, object, reason, cause }: BuilderError, wait: number): BuilderError {
  const hint = `the registry asks to wait ${Math.ceil(wait / 1000)} seconds: try again then`
  return new BuilderError(code, { operation, object, reason, hint, cause })
}
