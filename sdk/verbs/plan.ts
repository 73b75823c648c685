import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { PlannedStage } from '../containerfile/event.js'
import { Held } from '../containerfile/held.js'
import { planAsSvg } from '../containerfile/plan-svg.js'
import { planAsText } from '../containerfile/plan-text.js'
import { plannedStages } from '../containerfile/planned-stages.js'
import { platformsOf } from '../containerfile/platforms.js'
import { isArchive } from '../layer/archive.js'
import { openStore } from '../store/store.js'
import { openInputs, planFor } from './build/inputs.js'
import type { PlanningOptions } from './build/source.js'

/** Options of {@link plan}. */
export interface PlanOptions extends PlanningOptions {
  /**
   * How the plan is written: as text, as a drawing, as JSON.
   * @default `text`
   */
  format?: 'text' | 'svg' | 'json'
}

/**
 * Shows what a build would do: its stages, what each waits for, and their steps.
 *
 * Nothing is built and nothing is pulled.
 *
 * Throws `INVALID` for a mistake in the file, with its place; `NOT_FOUND` for a stage or a file that is not there.
 *
 * @verb
 * @where inside
 * @stdout The plan.
 * @param context - The build's context, as `build` takes it, or the Containerfile itself. Default: here.
 * @example
 * ```sh
 * builder plan --format svg . > plan.svg
 * ```
 * @example
 * ```ts
 * import { plan } from 'builder-sdk'
 * for (const { id, needs } of await plan('.')) console.log(id, needs)
 * ```
 */
export async function plan(context = '.', options: PlanOptions = {}): Promise<readonly PlannedStage[]> {
  const store = await openStore(options)
  await using held = new Held()
  const isFile = options.file === undefined && isPlainFile(context) && !(await isArchive(context))
  const where = isFile ? dirname(context) : context
  const inputs = await openInputs(store, held, where, isFile ? { ...options, file: context } : options, 'plan')
  return platformsOf(options.platform).flatMap((platform) => plannedStages(planFor(inputs, platform), platform))
}

/** What the shell door prints. */
export function present(stages: readonly PlannedStage[], { format = 'text' }: PlanOptions): string {
  if (format === 'json') return JSON.stringify(stages, null, 2)
  return format === 'svg' ? planAsSvg(stages) : planAsText(stages)
}

function isPlainFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
