import { formatPlatform, type Platform } from '../image/platform.js'
import type { PlannedStage } from './event.js'
import type { BuildPlan } from './plan.js'

/** A plan as plain data: what a build tells before it begins. */
export function plannedStages({ stages }: BuildPlan, platform: Platform): readonly PlannedStage[] {
  const idOf = (index: number) => stages.find(({ stage }) => stage.index === index)?.id ?? `${index}`
  return stages.map(({ id, stage, needs, platform: own }) => ({
    id,
    name: stage.name ?? `${stage.index}`,
    platform: own ?? formatPlatform(platform),
    needs: [...new Set(needs.map(({ index }) => idOf(index)))],
    steps: [stage.from, ...stage.instructions].map(({ original, position }, i) => ({
      id: stepId(id, i),
      text: original,
      position,
    })),
  }))
}

/** The id of a step in the events: the stage's, and its number in it, where 0 is FROM. */
export function stepId(stage: string, number: number): string {
  return `${stage}:${number}`
}
