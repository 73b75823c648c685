import { setMaxListeners } from 'node:events'
import { BuilderError } from '../errors.js'
import { StageWork } from './execute-stage.js'
import { failedStep } from './failed-step.js'
import { Held } from './held.js'
import type { BuildJob, StageEnd } from './job.js'
import { plannedStages } from './planned-stages.js'

/**
 * Executes a plan and hands its last stage to `finish`; then all containers are removed, whatever happened. Stages are
 * executed at the same time and wait only where they need each other. The first that fails stops the others, and its error
 * is thrown when they have ended.
 */
export async function executeBuild<T>(job: BuildJob, finish: (end: StageEnd) => Promise<T>): Promise<T> {
  const stopper = new AbortController()
  const signal = AbortSignal.any([job.signal, stopper.signal])
  // Each step that waits for its turn listens to it.
  setMaxListeners(0, signal)
  await using held = new Held()
  const { stages, target } = job.plan
  job.tell({ type: 'plan', time: Date.now(), stages: plannedStages(job.plan, job.platform) })
  const { jobs } = job
  const failures = new Set<unknown>()
  const started = new Map<number, Promise<StageEnd>>()
  const stage = (index: number): Promise<StageEnd> => {
    const known = started.get(index)
    if (known) return known
    const plan = stages.find((one) => one.stage.index === index)
    if (!plan) throw notPlanned(index)
    const work = new StageWork({ ...job, signal }, plan, jobs, stage, held, failures)
    const end = work.run()
    started.set(index, end)
    return end
  }
  const all = stages.map((one) => stage(one.stage.index))
  const failure = await Promise.all(all).then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  if (failure) {
    stopper.abort(failure.error)
    await Promise.allSettled(all)
    const failed = failedStep(failure.error)
    if (failed && !job.signal.aborted) await job.onFailure?.(failed, failure.error)
    throw failure.error
  }
  return await finish(await stage(target.stage.index))
}

/** A name that only came out while its stage was built. */
function notPlanned(index: number): BuilderError {
  return new BuilderError('INVALID', {
    operation: 'build',
    object: `stage ${index}`,
    reason: 'the plan did not know that it is needed, for its name comes from an ENV',
    hint: 'write the name of the stage, or take it from an ARG',
  })
}
