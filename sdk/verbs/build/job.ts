import { availableParallelism } from 'node:os'
import type { Commits } from '../../containerfile/commits.js'
import type { BuildJob } from '../../containerfile/job.js'
import { Jobs } from '../../containerfile/jobs.js'
import type { BuildPlan } from '../../containerfile/plan.js'
import type { Stage } from '../../containerfile/syntax.js'
import { BuilderError, printable } from '../../errors.js'
import { hostPlatform, type Platform } from '../../image/platform.js'
import { caller } from '../../namespace/caller.js'
import { explanationText } from '../../steps/explain.js'
import type { Store } from '../../store/store.js'
import type { GlobalOptions } from '../global.js'
import { contextFiles } from './contexts.js'
import type { BuildInputs } from './inputs.js'
import type { BuildOptions } from './options.js'
import type { BuildProgress } from './progress.js'
import { runInputs } from './run-options.js'
import { environmentOf } from './values.js'
import { workshopOf } from './workshop.js'

/** A build that is about to be executed, and who watches it. */
export interface Building extends BuildInputs {
  readonly options: BuildOptions
  readonly epoch: number | undefined
  readonly progress: BuildProgress
  readonly cache: Pick<BuildJob, 'imported' | 'onKept'>
  /** All platforms share the places. */
  readonly jobs: Jobs
  readonly commits: Commits
}

/** What the executor needs for one platform. Throws `USAGE` for options that cannot be. */
export function jobFor(building: Building, plan: BuildPlan, platform: Platform): BuildJob {
  const { store, file, given, options, epoch, progress, jobs, cache } = building
  const { signal = new AbortController().signal, onFailure, format = 'oci', layers = true } = options
  const here = hereOf(store, options)
  return {
    ...{ store, plan, given, platform, format, layers, signal },
    stages: file.stages,
    buildPlatform: hostPlatform(),
    tell: options.explain ? explaining(progress) : progress.note,
    explain: options.explain ?? false,
    workshop: workshopOf(store, options, epoch),
    context: async () => contextFiles(building),
    named: building.named,
    mayHit: mayHit(options),
    imported: cache.imported,
    onKept: cache.onKept,
    jobs,
    commits: building.commits,
    runInputs: runInputs(options),
    env: environmentOf(options),
    ...(epoch === undefined ? {} : { epoch }),
    ...(onFailure === 'shell'
      ? {
          onFailure: async (failed, error) => {
            const { openShell } = await import('./shell.js')
            await openShell({ store, options, progress }, failed, error, here)
          },
        }
      : {}),
  }
}

/** The options that lead a verb to a store that is open. */
export function hereOf({ root, runroot, driver }: Store, { signal }: GlobalOptions): GlobalOptions {
  return { root, runroot, ...(driver ? { storageDriver: driver } : {}), ...(signal ? { signal } : {}) }
}

/** Says after each step why it was executed, or not. */
function explaining({ note, record }: BuildProgress): BuildJob['tell'] {
  return (event) => {
    note(event)
    if (event.type !== 'step-end' || !event.explanation) return
    const text = record.step(event.step)?.text ?? event.step
    caller().say(`builder: ${printable(text)}: ${printable(explanationText(event.explanation))}\n`)
  }
}

/** buildah's `--jobs 0` is as many as there are. Throws `USAGE`. */
export function jobsOf({ jobs }: BuildOptions): Jobs {
  if (jobs === undefined) return new Jobs(Math.max(4, availableParallelism()))
  if (Number.isSafeInteger(jobs) && jobs >= 0) return new Jobs(jobs === 0 ? Number.MAX_SAFE_INTEGER : jobs)
  throw new BuilderError('USAGE', {
    operation: 'build --jobs',
    object: String(jobs),
    reason: 'it is not a number of steps',
    hint: 'write for example --jobs 4',
  })
}

function mayHit({ noCache = false, noCacheFilter = [] }: BuildOptions): (stage: Stage) => boolean {
  const without = new Set(noCacheFilter.flatMap((text) => text.toLowerCase().split(',')))
  return ({ name, index }) => !noCache && !without.has(`${index}`) && !(name !== undefined && without.has(name))
}
