import type { Digest } from '../image/digest.js'
import { type Platform, parsePlatform } from '../image/platform.js'
import type { ImportedSteps } from '../steps/import.js'
import type { Store } from '../store/store.js'
import type { BuildArguments } from './arguments.js'
import type { Commits } from './commits.js'
import type { BuildEvent, StepEnd } from './event.js'
import type { FailedStep } from './failed-step.js'
import type { IgnoreFile } from './ignore-file.js'
import type { Jobs } from './jobs.js'
import type { BuildPlan } from './plan.js'
import type { StagePlan } from './plan-stage.js'
import type { BuildState } from './state.js'
import type { Stage } from './syntax.js'
import type { Bench, Workshop } from './workshop.js'

/** What is to be built, and how. */
export interface BuildJob extends BuildArguments {
  readonly store: Store
  readonly plan: BuildPlan
  /** All stages of the file, needed or not. */
  readonly stages: readonly Stage[]
  readonly workshop: Workshop
  /** Where the context's files are. Throws when there is none. */
  readonly context: () => Promise<ContextFiles>
  /** A named context: an image by its name, or files; undefined for a name that is none. */
  readonly named: (name: string, signal: AbortSignal) => Promise<NamedFiles> | undefined
  /** One layer a step, found again by the next build. Otherwise one layer a stage, and the cache is left alone. */
  readonly layers: boolean
  /** Whether a stage (by name or number) may take its steps from the cache. */
  readonly mayHit: (stage: Stage) => boolean
  /** Caches of other machines, asked in turn for what this store has not. */
  readonly imported: readonly ImportedSteps[]
  /** Gets the key of each step that is in the cache at its end. */
  readonly onKept: (key: Digest) => void
  /** Seconds since 1970: the newest time a file of a new layer may have, and all times of the history. */
  readonly epoch?: number
  /** Where steps that are executed at the same time find their places. */
  readonly jobs: Jobs
  readonly format: 'oci' | 'docker'
  /** What the runs of this build are given beside, as part of what decides their results. */
  readonly runInputs: Readonly<Record<string, string | readonly string[]>>
  /** ENV that every stage begins with, NAME=value. */
  readonly env: readonly string[]
  /** Find out why a step is executed that the cache does not have. */
  readonly explain: boolean
  /** What the repositories of ADD are at. */
  readonly commits: Commits
  readonly tell: (event: BuildEvent) => void
  /** Gets the step that failed, when all else has ended and its container is still there, and its error. */
  readonly onFailure?: (failed: FailedStep, error: unknown) => Promise<void>
  readonly signal: AbortSignal
}

/** Files that COPY and ADD take from. */
export interface ContextFiles {
  readonly path: string
  /** What is left out, and the file that says so. */
  readonly ignore?: IgnoreFile
}

/** What a named context is. */
export type NamedFiles = ({ readonly kind: 'files' } & ContextFiles) | { readonly kind: 'image'; readonly name: string }

/** What a stage came to. Its container is kept for those who copy from it. */
export interface StageEnd {
  readonly state: BuildState
  /** The container that has the stage's files; made at the first call where the cache had all of them. */
  readonly bench: () => Promise<Bench>
  /** What a stage on top of it begins with. */
  readonly base: () => Promise<BuildState>
}

/** What is told of a step's end, beside which step it was. */
export type StepEnding = Pick<StepEnd, 'state' | 'layer' | 'explanation'>

/** The platform that a stage's image must have. */
export function platformOf({ platform }: Pick<StagePlan, 'platform'>, fallback: Platform): Platform {
  return platform === undefined ? fallback : parsePlatform(platform)
}
