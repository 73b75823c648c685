import { AsyncLocalStorage } from 'node:async_hooks'

/** Something failed and is about to be done again. */
export interface Retry {
  /** What failed, without what secrets it may have held. */
  readonly reason: string
  /** How long is waited before. */
  readonly seconds: number
}

/** Does work and tells of what is done again in it, however deep: the layers between need not hand it on. */
export function hearingRetries<T>(listener: (retry: Retry) => void, work: () => Promise<T>): Promise<T> {
  return listeners.run(listener, work)
}

/** Tells whoever listens to the work that is being done. */
export function tellRetry(retry: Retry): void {
  listeners.getStore()?.(retry)
}

const listeners = new AsyncLocalStorage<(retry: Retry) => void>()
