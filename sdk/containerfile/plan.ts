import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { formatPlatform } from '../image/platform.js'
import type { BuildArguments } from './arguments.js'
import { planStage, type StagePlan } from './plan-stage.js'
import { errorAt } from './point-at.js'
import { globalScope, type Scope } from './scope.js'
import type { Containerfile, Stage } from './syntax.js'

/** What a build has to do: a graph of stages. */
export interface BuildPlan {
  /** Stages that are needed, in the file's order. */
  readonly stages: readonly StagePlan[]
  /** The stage that becomes the image. */
  readonly target: StagePlan
  /** The global ARGs' values. */
  readonly globals: Scope
}

/** What shapes a plan beside the file. */
export interface PlanOptions extends BuildArguments {
  /** A stage's name or number; the last one when absent. */
  readonly target?: string
  /** Whether a name is that of a named context, which hides stages and images. */
  readonly isContext?: (name: string) => boolean
  /** True when the file is built for several platforms at a time: then the stages' ids tell which. */
  readonly isOneOfSeveral?: boolean
  /** Plan stages that nothing needs too. */
  readonly all?: boolean
}

/**
 * Finds out which stages are needed for the target, and what each waits for: the stage of its FROM, those of `--from` and of
 * `RUN --mount from=`. Throws `INVALID` for a file without stages and for a cycle, `NOT_FOUND` for a stage that is not there,
 * each with its place in the file.
 */
export function planBuild(file: Containerfile, options: PlanOptions): BuildPlan {
  const last = file.stages.at(-1)
  if (!last) throw noStage()
  const target = options.target === undefined ? last : findTarget(file.stages, options.target)
  const targetStage = options.target === undefined ? {} : { targetStage: target.name ?? String(target.index) }
  const globals = globalScope(file, { ...options, ...targetStage })
  const ids = idsOf(file.stages, options.isOneOfSeveral ? ` ${formatPlatform(options.platform)}` : '')
  const plans = new Map<number, StagePlan>()
  const plan = (index: number): StagePlan => {
    const known = plans.get(index)
    if (known) return known
    const made = planStage(file.stages, index, ids, globals, options.isContext ?? (() => false))
    plans.set(index, made)
    return made
  }
  const needed = new Set<number>()
  const wanted = options.all ? file.stages.slice(0, target.index + 1).map(({ index }) => index) : [target.index]
  for (const index of wanted) visit(plan, index, needed, [])
  const stages = [...needed].sort((a, b) => a - b).map(plan)
  return { stages, target: plan(target.index), globals }
}

/** Goes to all that a stage needs; the path that led there finds cycles. */
function visit(plan: (index: number) => StagePlan, index: number, needed: Set<number>, path: readonly number[]): void {
  if (path.includes(index)) throw cycle([...path.slice(path.indexOf(index)), index].map(plan))
  if (needed.has(index)) return
  for (const { index: other } of plan(index).needs) visit(plan, other, needed, [...path, index])
  needed.add(index)
}

/** A stage is told by its name; of two with one name, and of those without, the number tells them apart. */
function idsOf(stages: readonly Stage[], platform: string): readonly string[] {
  const names = stages.map(({ name }) => name)
  return stages.map(({ name, index }) => {
    const id = name === undefined ? `${index}` : names.indexOf(name) === index ? name : `${name}-${index}`
    return `${id}${platform}`
  })
}

function findTarget(stages: readonly Stage[], target: string): Stage {
  const lower = target.toLowerCase()
  const found = stages.findLast(({ name }) => name === lower) ?? stages[/^\d+$/.test(target) ? Number(target) : -1]
  if (found) return found
  const names = stages.flatMap(({ name }) => name ?? [])
  const near = nearestWord(lower, names)
  const known =
    names.length > 0 ? `the stages are ${names.join(', ')}` : `its stages have no names, only numbers from 0`
  throw new BuilderError('NOT_FOUND', {
    operation: 'build --target',
    object: target || '""',
    reason: 'the file has no such stage',
    hint: near ? `did you mean ${near}?` : known,
  })
}

function cycle(stages: readonly StagePlan[]): BuilderError {
  const [first, second] = stages
  const need = first?.needs.find(({ index }) => index === second?.stage.index)
  const position = need?.position ?? (first as StagePlan).stage.from.position
  const reason = `stages wait for each other: ${stages.map(({ id }) => id).join(' needs ')}`
  return errorAt(position, { operation: 'plan', reason, hint: 'let one of them do without the other' })
}

function noStage(): BuilderError {
  const hint = 'begin it with FROM IMAGE, or FROM scratch'
  return new BuilderError('INVALID', { operation: 'plan', object: 'Containerfile', reason: 'it has no FROM', hint })
}
