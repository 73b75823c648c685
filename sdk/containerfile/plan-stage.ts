import type { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { fromOf } from './place-text.js'
import { errorAt } from './point-at.js'
import { declare, expandIn, type Scope, stageScope } from './scope.js'
import type { Instruction, Position, Stage } from './syntax.js'

/** A stage with what it stands on and what it waits for. */
export interface StagePlan {
  /** Unique among the stages of the file. */
  readonly id: string
  readonly stage: Stage
  readonly base: Base
  /** As written after `--platform=`, variables replaced. */
  readonly platform?: string
  readonly needs: readonly Need[]
}

/** What a stage's FROM means. */
export type Base =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly index: number }
  /** An image, or a named context. */
  | { readonly kind: 'image'; readonly name: string }

/** A stage that another waits for, and where that is written. */
export interface Need {
  readonly index: number
  readonly position: Position
}

/** Plans one stage. Throws `INVALID` and `NOT_FOUND` with the place. */
export function planStage(
  stages: readonly Stage[],
  index: number,
  ids: readonly string[],
  globals: Scope,
  isContext: (name: string) => boolean,
): StagePlan {
  const stage = stages[index] as Stage
  const { from } = stage
  const image = expandIn(from.image, globals, from.position)
  if (image === '') throw emptyBase(stage)
  const platform = from.platform === undefined ? undefined : expandIn(from.platform, globals, from.position)
  const base = baseOf(stages, index, image, isContext)
  const others = stage.instructions.flatMap((instruction, n) =>
    sourcesOf(instruction).flatMap((written) => {
      const name = nameOf(written, stage.instructions.slice(0, n), globals, instruction.position)
      const found = findStage(stages, index, name, isContext, instruction)
      return found === undefined ? [] : [{ index: found, position: instruction.position }]
    }),
  )
  const needs = [...(base.kind === 'stage' ? [{ index: base.index, position: from.position }] : []), ...others]
  return { id: ids[index] as string, stage, base, ...(platform ? { platform } : {}), needs }
}

/**
 * The stage that a `--from` means; undefined when it means an image or a named context. Throws `NOT_FOUND` for a number that
 * no stage has.
 */
export function findStage(
  stages: readonly Stage[],
  own: number,
  name: string,
  isContext: (name: string) => boolean,
  { position }: Pick<Instruction, 'position'>,
): number | undefined {
  if (isContext(name)) return undefined
  const lower = name.toLowerCase()
  const named = stages.filter((stage) => stage.name === lower)
  const found = named.findLast(({ index }) => index < own) ?? named[0]
  if (found) return found.index
  if (!/^\d+$/.test(name)) return undefined
  if (stages[Number(name)]) return Number(name)
  const reason = `there is no stage ${name}`
  const hint = `the stages have the numbers 0 to ${stages.length - 1}${own < stages.length ? `; this is stage ${own}` : ''}`
  throw errorAt(position, { operation: 'plan', reason, hint }, 'NOT_FOUND')
}

/** A stage's name that a name may have been meant for, to be told when no such image is found either. */
export function stageMeant(stages: readonly Stage[], name: string): string | undefined {
  return nearestWord(
    name.toLowerCase(),
    stages.flatMap((stage) => stage.name ?? []),
  )
}

/** What an instruction's `--from`, or the `from=` of its mounts, names. */
export function sourcesOf(instruction: Instruction): readonly string[] {
  if (instruction.instruction === 'COPY' || instruction.instruction === 'ADD')
    return instruction.from === undefined ? [] : [instruction.from]
  if (instruction.instruction !== 'RUN') return []
  return instruction.mounts.flatMap((mount) => fromOf(mount) ?? [])
}

/** A name with the ARGs of its stage: what its base sets with ENV is not known while a plan is made, and does not count. */
function nameOf(written: string, before: readonly Instruction[], globals: Scope, position: Position): string {
  if (!written.includes('$')) return written
  const args = before.filter((instruction) => instruction.instruction === 'ARG')
  const scope = args.reduce((now, instruction) => declare(now, instruction, []), stageScope(globals))
  return expandIn(written, scope, position)
}

/** A FROM means a stage above it; its own name, or that of a stage below, is an image's. */
function baseOf(stages: readonly Stage[], index: number, image: string, isContext: (name: string) => boolean): Base {
  if (isContext(image)) return { kind: 'image', name: image }
  if (image === 'scratch') return { kind: 'scratch' }
  const above = stages.slice(0, index).findLast((stage) => stage.name === image.toLowerCase())
  return above ? { kind: 'stage', index: above.index } : { kind: 'image', name: image }
}

function emptyBase({ from }: Stage): BuilderError {
  const reason = `the name of the base image is empty: ${from.image} has no value`
  const hint = 'give it one with --build-arg, or a default: ARG NAME=VALUE in front of the first FROM'
  return errorAt(from.position, { operation: 'plan', reason, hint })
}
