import { layerDescriptor } from '../image/assemble.js'
import type { ImageConfig } from '../image/config.js'
import type { Digest } from '../image/digest.js'
import type { Platform } from '../image/platform.js'
import { explainMiss } from '../steps/explain.js'
import { stepKey } from '../steps/key.js'
import { lookUpStep } from '../steps/look-up.js'
import { recordStep } from '../steps/record.js'
import type { Step, StepExplanation, StepResult } from '../steps/step.js'
import type { FileOutcome } from './evaluate.js'
import { carryOut } from './execute-work.js'
import type { Held } from './held.js'
import type { BuildJob, StageEnd, StepEnding } from './job.js'
import type { Jobs } from './jobs.js'
import { findImage, findOrigins, type Origins } from './origins.js'
import type { StagePlan } from './plan-stage.js'
import type { BuildState } from './state.js'
import { describeContent, describeStep } from './step-inputs.js'
import type { FromInstruction, Instruction } from './syntax.js'
import type { Bench } from './workshop.js'

/**
 * The state of a stage and the container that it works in. As long as the cache has every step there is no container: the
 * first one that it has not makes one of the state, and goes on in it.
 */
export class StepWork {
  #state: BuildState | undefined
  #bench: Bench | undefined
  /** How many layers the container has; a hit after a miss leaves it behind. */
  #benchLayers = 0
  #origins: Origins = new Map()

  constructor(
    readonly job: BuildJob,
    readonly plan: StagePlan,
    readonly jobs: Jobs,
    readonly stageEnd: (index: number) => Promise<StageEnd>,
    readonly held: Held,
  ) {}

  begin(state: BuildState): void {
    this.#state = state
  }

  image(name: string, platform: Platform, { position }: Pick<FromInstruction, 'position'>): Promise<BuildState> {
    return findImage(this.job, name, platform, position)
  }

  /** Takes a new configuration over; `by` is the history's word for what changed it. */
  configure(config: ImageConfig, by?: string): void {
    const { said, ...state } = this.#now()
    this.#state = { ...state, config, said: by === undefined ? said : [...said, { by }] }
  }

  /** Waits for the stages, and sees to the images, that an instruction takes files from. */
  async ready(instruction: Instruction, outcome: FileOutcome): Promise<void> {
    this.#origins = await findOrigins(this.job, this.plan, this.stageEnd, instruction, outcome)
  }

  /** Does what an instruction says, or takes what it made another time from the cache. */
  async step(outcome: FileOutcome, instruction: Instruction, id: string, config: ImageConfig): Promise<StepEnding> {
    const { job } = this
    const state = { ...this.#now(), config }
    if (!job.layers) {
      await this.jobs.run(job.signal, async () => {
        const bench = await this.#benchFor(state)
        await carryOut({ job, plan: this.plan, origins: this.#origins, bench, instruction, id }, outcome)
      })
      return { state: 'done' }
    }
    const described = await describeStep(job, state, outcome, this.#origins)
    const { by, isKept } = described
    const byState = formOf(described.step)
    const found = await this.#find(byState, isKept)
    if (found) return this.#take(found, [byState], by)
    const byContent = await describeContent(job, described, outcome, this.#origins)
    const forms = byContent ? [byState, formOf(byContent)] : [byState]
    const same = forms[1] && (await this.#find(forms[1], isKept))
    if (same) {
      const kept = await recordStep(job.store, byState.step, byState.key, same.result)
      return this.#take(same, kept ? forms : forms.slice(1), by)
    }
    const last = forms.at(-1) ?? byState
    const explanation = job.explain ? this.#whyMissed(last.step, last.key, isKept) : undefined
    const result = await this.#execute(outcome, instruction, id, state)
    for (const { step, key } of isKept ? forms : []) if (await recordStep(job.store, step, key, result)) job.onKept(key)
    this.#advance(result, by)
    this.#benchLayers = this.#now().layers.length
    return {
      state: 'done',
      ...(result.layer ? { layer: result.layer } : {}),
      ...(explanation ? { explanation } : {}),
    }
  }

  /** What the stage has come to. */
  end(): StageEnd {
    const state = this.#now()
    let made: Promise<Bench> | undefined
    let base: Promise<BuildState> | undefined
    const bench = () => {
      made ??= this.#benchFor(state)
      return made
    }
    const image = async () => (await bench()).image(this.job.signal)
    return {
      state,
      bench,
      base: () => {
        base ??= this.job.layers ? Promise.resolve(state) : image()
        return base
      },
    }
  }

  /** Here, or in the cache of another machine. */
  async #find({ step, key }: Form, isKept: boolean): Promise<Found | undefined> {
    const { store, imported, signal } = this.job
    if (!isKept || !this.job.mayHit(this.plan.stage)) return undefined
    const here = await lookUpStep(store, key)
    if (here) return { key, result: here }
    for (const one of imported) {
      const result = await one.take(step, key, signal)
      if (result) return { key, result, from: one.name }
    }
    return undefined
  }

  #take({ key, result, from }: Found, forms: readonly Form[], by: string): StepEnding {
    for (const form of forms) this.job.onKept(form.key)
    this.#advance(result, by)
    const explanation = { state: 'hit' as const, key, ...(from === undefined ? {} : { from }) }
    return { state: 'hit', explanation, ...(result.layer ? { layer: result.layer } : {}) }
  }

  #whyMissed(step: Step, key: Digest, isKept: boolean): StepExplanation {
    const { job, plan } = this
    const reason = isKept ? 'the build takes nothing from the cache for this stage' : fetchedAnew
    return isKept && job.mayHit(plan.stage) ? explainMiss(job.store, step, key) : { state: 'miss', key, reason }
  }

  #now(): BuildState {
    if (!this.#state) throw new TypeError('the stage has not begun')
    return this.#state
  }

  async #execute(outcome: FileOutcome, instruction: Instruction, id: string, state: BuildState): Promise<StepResult> {
    const { job, jobs } = this
    return jobs.run(job.signal, async () => {
      const started = Date.now()
      const bench = await this.#benchFor(state)
      await carryOut({ job, plan: this.plan, origins: this.#origins, bench, instruction, id }, outcome)
      const { layer } = await bench.seal(job.epoch, job.signal)
      const created = new Date().toISOString()
      return { ...(layer ? { layer } : {}), created, milliseconds: Date.now() - started }
    })
  }

  async #benchFor(state: BuildState): Promise<Bench> {
    const { job, held } = this
    if (this.#bench && this.#benchLayers !== state.layers.length) {
      await this.#bench[Symbol.asyncDispose]()
      this.#bench = undefined
    }
    if (!this.#bench) {
      this.#bench = held.use(await job.workshop.bench(state, job.signal))
      this.#benchLayers = state.layers.length
    } else await this.#bench.configure(state.config)
    return this.#bench
  }

  #advance({ layer, created }: StepResult, by: string): void {
    const state = this.#now()
    const one = layer && created !== undefined ? { by, layerCreated: created } : { by }
    const said = [...state.said, one]
    this.#state = layer
      ? {
          ...state,
          said,
          layers: [...state.layers, layer.diffID],
          descriptors: [...state.descriptors, layerDescriptor(layer)],
        }
      : { ...state, said }
  }
}

/** One way to name a step. */
interface Form {
  readonly step: Step
  readonly key: Digest
}

interface Found {
  readonly key: Digest
  readonly result: StepResult
  readonly from?: string
}

function formOf(step: Step): Form {
  return { step, key: stepKey(step) }
}

const fetchedAnew = 'what it fetches has no checksum, and could be something else each time'
