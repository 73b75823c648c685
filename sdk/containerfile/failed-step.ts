import type { Bench, RunWork } from './workshop.js'

/** The container in which a step failed; of a RUN also what it was given. */
export interface FailedStep {
  readonly bench: Bench
  readonly run?: RunWork
}

/** Does the work of a step; an error that it throws is remembered together with where it happened. */
export async function rememberingFailure<T>(failed: FailedStep, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (typeof error === 'object' && error !== null && !known.has(error)) known.set(error, failed)
    throw error
  }
}

/** Where an error happened; undefined when it was in no step's container. */
export function failedStep(error: unknown): FailedStep | undefined {
  return typeof error === 'object' && error !== null ? known.get(error) : undefined
}

const known = new WeakMap<object, FailedStep>()
