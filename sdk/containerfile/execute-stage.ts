import { BuilderError, RunError } from '../errors.js'
import { emptyConfig } from '../image/config.js'
import { evaluate } from './evaluate.js'
import { withExecution, withVariables } from './evaluate-config.js'
import { StepWork } from './execute-step.js'
import type { Held } from './held.js'
import { type BuildJob, platformOf, type StageEnd, type StepEnding } from './job.js'
import type { Jobs } from './jobs.js'
import { parseTrigger } from './parse.js'
import type { StagePlan } from './plan-stage.js'
import { stepId } from './planned-stages.js'
import { stageScope } from './scope.js'
import { envOf, type Situation } from './situation.js'
import type { BuildState } from './state.js'
import type { Instruction, Position } from './syntax.js'
import { withPlace } from './with-place.js'

/** The work on one stage, from its FROM to its last instruction. */
export class StageWork {
  readonly #steps: StepWork
  #situation: Situation

  constructor(
    readonly job: BuildJob,
    readonly plan: StagePlan,
    jobs: Jobs,
    readonly stageEnd: (index: number) => Promise<StageEnd>,
    held: Held,
    /** What stages have failed with. */
    readonly failures: Set<unknown>,
  ) {
    this.#steps = new StepWork(job, plan, jobs, stageEnd, held)
    const config = emptyConfig(job.platform)
    this.#situation = { config, scope: stageScope(job.plan.globals), hasCommand: false }
  }

  /** Throws what the instructions throw. */
  async run(): Promise<StageEnd> {
    const { job, plan } = this
    const known = this.failures
    const base = plan.base.kind === 'stage' ? await (await this.stageEnd(plan.base.index)).base() : undefined
    job.tell({ type: 'stage-begin', time: Date.now(), stage: plan.id })
    try {
      const triggers = await this.#begin(base)
      const { instructions } = plan.stage
      const after = instructions.length + 1
      for (const [i, one] of triggers.entries()) await this.#instruction(one, stepId(plan.id, after + i))
      for (const [i, one] of instructions.entries()) await this.#instruction(one, stepId(plan.id, i + 1))
      job.tell({ type: 'stage-end', time: Date.now(), stage: plan.id, state: 'done' })
      return this.#steps.end()
    } catch (error) {
      // What another stage failed with comes here too, when this one waits for it or is stopped for it.
      const isOwn = !job.signal.aborted && !known.has(error)
      known.add(error)
      job.tell({ type: 'stage-end', time: Date.now(), stage: plan.id, state: isOwn ? 'failed' : 'stopped' })
      throw error
    }
  }

  /** FROM: the base's state. Gives the triggers that the base left for whoever builds on it. */
  async #begin(known: BuildState | undefined): Promise<readonly Instruction[]> {
    let triggers: readonly string[] = []
    const { from } = this.plan.stage
    await this.#told(stepId(this.plan.id, 0), from.position, async () => {
      const state = known ?? (await this.#base())
      triggers = state.config.config?.OnBuild ?? []
      const config = withExecution(state.config, { OnBuild: [], Env: withGiven(envOf(state.config), this.job.env) })
      this.#situation = { ...this.#situation, config }
      this.#steps.begin({ ...state, config })
      return { state: 'done' }
    })
    return triggers.map((trigger) => parseTrigger(trigger, from.image))
  }

  async #base(): Promise<BuildState> {
    const { job, plan } = this
    if (plan.base.kind === 'image')
      return this.#steps.image(plan.base.name, platformOf(plan, job.platform), plan.stage.from)
    const { os, architecture, variant } = platformOf(plan, job.platform)
    const platform = architecture === 'arm' && variant ? { os, architecture, variant } : { os, architecture }
    return { layers: [], descriptors: [], config: emptyConfig(platform), annotations: {}, format: job.format, said: [] }
  }

  async #instruction(instruction: Instruction, id: string): Promise<void> {
    const { job } = this
    job.signal.throwIfAborted()
    const outcome = evaluate(instruction, this.#situation)
    const before = this.#situation.config
    if (outcome.kind === 'config' || outcome.kind === 'workdir') this.#situation = outcome.next
    if (outcome.kind !== 'config') await this.#steps.ready(instruction, outcome)
    await this.#told(id, instruction.position, async () => {
      if (outcome.kind !== 'config') {
        const ending = await this.#steps.step(outcome, instruction, id, before)
        if (outcome.kind === 'workdir') this.#steps.configure(outcome.next.config)
        return ending
      }
      this.#steps.configure(outcome.next.config, outcome.by)
      return { state: 'done' }
    })
  }

  /** Tells of a step's beginning and end, whatever its end is. */
  async #told(step: string, position: Position, work: () => Promise<StepEnding>): Promise<void> {
    const { job, plan } = this
    const about = { stage: plan.id, step }
    job.tell({ type: 'step-begin', time: Date.now(), ...about })
    try {
      const ending = await work()
      job.tell({ type: 'step-end', time: Date.now(), ...about, ...ending })
    } catch (error) {
      const isStopped = job.signal.aborted || (error instanceof BuilderError && error.code === 'ABORTED')
      const code = error instanceof RunError ? { exitCode: error.exitCode } : {}
      job.tell({ type: 'step-end', time: Date.now(), ...about, state: isStopped ? 'stopped' : 'failed', ...code })
      throw isStopped ? error : withPlace(error, position)
    }
  }
}

function withGiven(env: readonly string[], given: readonly string[]): readonly string[] {
  return withVariables(
    env,
    given.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const),
  )
}
