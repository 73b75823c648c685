import type { BuildEvent, PlannedStage, StepEnd } from '../../containerfile/event.js'
import type { Position } from '../../containerfile/syntax.js'
import { OutputTail } from './output.js'

/** What is known of one step so far. Times are milliseconds since 1970. */
export interface StepRecord {
  readonly id: string
  readonly stage: StageRecord
  /** From 1, in its stage. */
  readonly number: number
  /** From 1, in the build. */
  readonly order: number
  readonly text: string
  readonly position?: Position
  readonly output: OutputTail
  state: StepEnd['state'] | 'waiting' | 'running'
  began?: number
  ended?: number
  end?: StepEnd
}

/** What is known of one stage so far. */
export interface StageRecord {
  readonly id: string
  readonly needs: readonly string[]
  readonly steps: StepRecord[]
  state: 'waiting' | 'running' | 'done' | 'failed' | 'stopped'
  began?: number
  ended?: number
}

type Told<T extends BuildEvent['type']> = Extract<BuildEvent, { readonly type: T }>

/** Keeps what the events of a build said, in the plan's order. */
export class BuildRecord {
  readonly stages = new Map<string, StageRecord>()
  readonly warnings: Told<'warning'>[] = []
  readonly images: Told<'image'>[] = []
  /** The first that failed. */
  failed: StepRecord | undefined
  began: number | undefined
  ended: number | undefined
  readonly #steps = new Map<string, StepRecord>()

  /** Gives the lines of output that the event ended. */
  note(event: BuildEvent): readonly string[] {
    this.began ??= event.time
    this.ended = event.time
    switch (event.type) {
      case 'plan':
        for (const stage of event.stages) this.#plan(stage)
        return []
      case 'stage-begin':
        Object.assign(this.#stage(event.stage), { state: 'running', began: event.time })
        return []
      case 'stage-end':
        Object.assign(this.#stage(event.stage), { state: event.state, ended: event.time })
        return []
      case 'step-begin':
        Object.assign(this.#step(event.step, event.stage), { state: 'running', began: event.time })
        return []
      case 'step-output':
        return this.#steps.get(event.step)?.output.push(event.stream, event.text) ?? []
      case 'step-end':
        return this.#end(event)
      case 'warning':
        this.warnings.push(event)
        return []
      case 'image':
        this.images.push(event)
        return []
    }
  }

  /** The step that an event is about. */
  step(id: string): StepRecord | undefined {
    return this.#steps.get(id)
  }

  /** All steps, in the plan's order. */
  get steps(): readonly StepRecord[] {
    return [...this.stages.values()].flatMap(({ steps }) => steps)
  }

  /** Steps that are at work now. */
  running(): readonly StepRecord[] {
    return this.steps.filter(({ state }) => state === 'running')
  }

  count(...states: readonly StepRecord['state'][]): number {
    return this.steps.filter(({ state }) => states.includes(state)).length
  }

  #plan({ id, needs, steps }: PlannedStage): void {
    const stage = this.#stage(id, needs)
    for (const step of steps) this.#add(step.id, stage, step.text, step.position)
  }

  #stage(id: string, needs: readonly string[] = []): StageRecord {
    const known = this.stages.get(id)
    if (known) return known
    const stage: StageRecord = { id, needs, steps: [], state: 'waiting' }
    this.stages.set(id, stage)
    return stage
  }

  /** A trigger of a base image is known when that is: such a step is not in the plan. */
  #step(id: string, stage: string): StepRecord {
    return this.#steps.get(id) ?? this.#add(id, this.#stage(stage), id)
  }

  #add(id: string, stage: StageRecord, text: string, position?: Position): StepRecord {
    const number = stage.steps.length + 1
    const step: StepRecord = {
      ...{ id, stage, number, order: this.#steps.size + 1, text, state: 'waiting', output: new OutputTail() },
      ...(position ? { position } : {}),
    }
    stage.steps.push(step)
    this.#steps.set(id, step)
    return step
  }

  #end(event: StepEnd): readonly string[] {
    const step = this.#step(event.step, event.stage)
    step.began ??= event.time
    Object.assign(step, { state: event.state, ended: event.time, end: event })
    if (event.state === 'failed') this.failed ??= step
    return step.output.end()
  }
}

/** Milliseconds that a step took, or takes as long as it runs. */
export function timeOf({ began, ended }: Span, now: number): number {
  return began === undefined ? 0 : Math.max(0, (ended ?? now) - began)
}

interface Span {
  readonly began?: number | undefined
  readonly ended?: number | undefined
}

/** One way to show a build. `said` are the lines of output that the event ended; it is in the record already. */
export interface BuildDisplay extends Disposable {
  note(event: BuildEvent, said: readonly string[]): void
}
