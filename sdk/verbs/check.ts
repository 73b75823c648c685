import { formatCount } from '../image/table.js'
import { checkStore } from '../store/check.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link check}. */
export interface CheckOptions extends GlobalOptions {
  /** Read every layer and compare it with its digest. */
  deep?: boolean
}

/** The state of a store. */
export interface CheckResult {
  /** One sentence for each thing that is wrong; empty when the store is whole. */
  readonly problems: readonly string[]
  readonly images: number
  readonly layers: number
  readonly containers: number
  /** 0 when whole, else 125. */
  readonly exitCode: number
}

/**
 * Checks that the store is whole: every image readable, every digest right, nothing missing.
 *
 * @verb
 * @where inside
 * @offline
 * @stdout What is wrong, a line each, and a summary.
 * @example
 * ```sh
 * builder check --deep
 * ```
 * @example
 * ```ts
 * import { check } from 'builder-sdk'
 * const { problems } = await check({ deep: true })
 * ```
 */
export async function check(options: CheckOptions = {}): Promise<CheckResult> {
  const store = await openStore(options)
  const found = await checkStore(store, { deep: options.deep ?? false })
  return { ...found, exitCode: found.problems.length === 0 ? 0 : 125 }
}

/** What the shell door prints. */
export function present({ problems, images, layers, containers }: CheckResult): string {
  const verdict = problems.length === 0 ? 'the store is whole' : formatCount(problems.length, 'problem')
  return [
    ...problems,
    `${verdict}: ${formatCount(images, 'image')}, ${formatCount(layers, 'layer')}, ${formatCount(containers, 'container')}`,
  ].join('\n')
}
