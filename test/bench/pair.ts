/** Measures one work done by builder and by a peer, and says it as a ratio. */

/** A row of the table; times are medians in milliseconds. */
export interface Row {
  readonly work: string
  readonly ours_ms?: number
  /** What is no time, with its unit. */
  readonly ours?: string
  /** Who it is compared with; absent where nobody does it. */
  readonly peer?: string
  readonly peer_ms?: number
  /** ours / peer: below 1 is faster than the peer. */
  readonly ratio?: number
  /** What the design asks for. */
  readonly aim?: string
}

/** What a `*.bench.ts` file exports as `measure`. It makes and removes its own folders. */
export type Measure = () => Promise<readonly Row[]>

/**
 * One run of a work. What is not to be measured stands in the run's `before` and `after`. A run that resolves to a number has
 * measured itself, in milliseconds.
 */
export type Work = (() => Promise<unknown>) | Prepared

export interface Prepared {
  readonly before?: () => Promise<unknown>
  readonly run: () => Promise<unknown>
  readonly after?: () => Promise<unknown>
}

/**
 * Runs both in turn, and gives both medians. They alternate, and change who is first, so that what else the machine
 * does meets both alike; a first run of each, which fills the disk cache, does not count.
 */
export async function pair(
  ours: Work,
  peer: Work,
  runs: number,
): Promise<Required<Pick<Row, 'ours_ms' | 'peer_ms' | 'ratio'>>> {
  const times: [number[], number[]] = [[], []]
  for (let run = 0; run <= most(runs); run++)
    for (const which of run % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const ms = await timed(which === 0 ? ours : peer)
      if (run > 0) times[which].push(ms)
    }
  const [ours_ms, peer_ms] = [median(times[0]), median(times[1])]
  return { ours_ms, peer_ms, ratio: median(times[0].map((ms, run) => ms / (times[1][run] ?? ms))) }
}

/** The same for a work that has no peer. */
export async function alone(ours: Work, runs: number): Promise<{ readonly ours_ms: number }> {
  const times: number[] = []
  for (let run = 0; run <= most(runs); run++) times.push(await timed(ours))
  return { ours_ms: median(times.slice(1)) }
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]]
  if (low === undefined || high === undefined) throw new RangeError('a median of no values')
  return (low + high) / 2
}

/** With `--quick` one of each is enough: to see that it works, not what it takes. */
function most(runs: number): number {
  return process.env.BENCH_QUICK ? 1 : runs
}

async function timed(work: Work): Promise<number> {
  const { before, run, after } = typeof work === 'function' ? { run: work } : work
  await before?.()
  const start = process.hrtime.bigint()
  const own = await run()
  const ms = typeof own === 'number' ? own : Number(process.hrtime.bigint() - start) / 1e6
  await after?.()
  return ms
}
