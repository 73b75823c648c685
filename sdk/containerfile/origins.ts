import { BuilderError } from '../errors.js'
import type { Platform } from '../image/platform.js'
import type { FileOutcome } from './evaluate.js'
import type { BuildJob, ContextFiles, StageEnd } from './job.js'
import { fromOf } from './place-text.js'
import { findStage, type StagePlan, stageMeant } from './plan-stage.js'
import { errorAt } from './point-at.js'
import type { BuildState } from './state.js'
import type { Instruction, Position } from './syntax.js'

/** Where files come from that an instruction names with `from`. */
export type Origin =
  | { readonly kind: 'stage'; readonly end: StageEnd }
  | { readonly kind: 'image'; readonly state: BuildState }
  | ({ readonly kind: 'files' } & ContextFiles)

/** A stage or an image: what it has, its state tells. */
export type Made = Exclude<Origin, { readonly kind: 'files' }>

/** What each `from` of an instruction means. */
export type Origins = ReadonlyMap<string, Origin>

/** Waits for the stages that an instruction takes files from, and sees to it that its images are in the store. */
export async function findOrigins(
  job: BuildJob,
  { stage }: StagePlan,
  stageEnd: (index: number) => Promise<StageEnd>,
  instruction: Instruction,
  outcome: FileOutcome,
): Promise<Origins> {
  const names = new Set(namesOf(outcome))
  const isContext = (name: string) => job.named(name, job.signal) !== undefined
  const find = async (name: string): Promise<Origin> => {
    const index = findStage(job.stages, stage.index, name, isContext, instruction)
    if (index !== undefined) return { kind: 'stage', end: await stageEnd(index) }
    const files = await job.named(name, job.signal)
    if (files?.kind === 'files') return files
    return { kind: 'image', state: await findImage(job, name, job.platform, instruction.position) }
  }
  return new Map(await Promise.all([...names].map(async (name) => [name, await find(name)] as const)))
}

/** A container or an image, by its ID. */
export async function containerOf(origin: Made): Promise<string> {
  return origin.kind === 'stage' ? (await origin.end.bench()).id : (origin.state.from?.id ?? '')
}

/** An image's state. Where there is none, a stage that may have been meant is told. */
export async function findImage(
  job: BuildJob,
  name: string,
  platform: Platform,
  position: Position,
): Promise<BuildState> {
  try {
    const known = await job.named(name, job.signal)
    if (known?.kind === 'files') throw noImage(name)
    return await job.workshop.image(known?.kind === 'image' ? known.name : name, platform, job.signal)
  } catch (error) {
    if (!(error instanceof BuilderError) || error.code !== 'NOT_FOUND') throw error
    const meant = stageMeant(job.stages, name)
    const { reason, hint = '' } = error
    const near = meant === undefined ? hint : `did you mean the stage ${meant}?`
    throw errorAt(position, { operation: 'build', reason: `${name}: ${reason}`, hint: near, cause: error }, 'NOT_FOUND')
  }
}

function noImage(name: string): BuilderError {
  const reason = 'this named context is files, not an image'
  const hint = `write FROM scratch and COPY --from=${name} . /`
  return new BuilderError('NOT_FOUND', { operation: 'build', object: name, reason, hint })
}

function namesOf(outcome: FileOutcome): readonly string[] {
  if (outcome.kind === 'place') return outcome.from === undefined ? [] : [outcome.from]
  return outcome.kind === 'run' ? outcome.mounts.flatMap((mount) => fromOf(mount) ?? []) : []
}
