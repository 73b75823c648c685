/** How much at once, and what may stop it. */
export interface Work {
  readonly limit: number
  readonly signal?: AbortSignal
}

/**
 * Runs a task for every item, started in their order, at most `limit` at once. The first failure stops the others
 * through the signal they get; it is thrown when all have ended, so nothing goes on behind the caller's back.
 */
export async function inParallel<T>(
  items: readonly T[],
  task: (item: T, stop: AbortSignal) => Promise<void>,
  { limit, signal }: Work,
): Promise<void> {
  const own = new AbortController()
  const stop = signal ? AbortSignal.any([signal, own.signal]) : own.signal
  const failures: unknown[] = []
  const rest = items.values()
  const run = async () => {
    for (const item of rest) {
      if (failures.length > 0) return
      await task(item, stop).catch((error) => {
        failures.push(error)
        own.abort()
      })
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, limit) }, run))
  if (failures.length > 0) throw failures[0]
}
