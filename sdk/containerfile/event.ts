import type { Digest } from '../image/digest.js'
import type { StepExplanation } from '../steps/step.js'
import type { Position } from './syntax.js'

/** What a build tells while it works. Plain data: the lines of `--progress=json` are the same. Times are milliseconds since 1970. */
export type BuildEvent =
  | { readonly type: 'plan'; readonly time: number; readonly stages: readonly PlannedStage[] }
  | { readonly type: 'stage-begin'; readonly time: number; readonly stage: string }
  | { readonly type: 'step-begin'; readonly time: number; readonly stage: string; readonly step: string }
  | {
      readonly type: 'step-output'
      readonly time: number
      readonly step: string
      readonly stream: 'stdout' | 'stderr'
      /** Text with secrets redacted. */
      readonly text: string
    }
  | StepEnd
  | {
      readonly type: 'stage-end'
      readonly time: number
      readonly stage: string
      readonly state: 'done' | 'failed' | 'stopped'
    }
  | { readonly type: 'warning'; readonly time: number; readonly message: string; readonly position?: Position }
  | {
      readonly type: 'image'
      readonly time: number
      readonly id: string
      readonly names: readonly string[]
      readonly platform?: string
    }

/** A stage of the plan. */
export interface PlannedStage {
  /** Unique in the build: the stage's name or number, with the platform when there are several. */
  readonly id: string
  readonly name: string
  readonly platform?: string
  /** Ids of the stages that it waits for. */
  readonly needs: readonly string[]
  readonly steps: readonly { readonly id: string; readonly text: string; readonly position: Position }[]
}

/** How a step ended. */
export interface StepEnd {
  readonly type: 'step-end'
  readonly time: number
  readonly stage: string
  readonly step: string
  readonly state: 'hit' | 'done' | 'failed' | 'stopped'
  /** What it added, when it made or found a layer. */
  readonly layer?: { readonly diffID: Digest; readonly size: number }
  readonly explanation?: StepExplanation
  readonly exitCode?: number
}
