import { printable } from '../errors.js'
import type { PlannedStage } from './event.js'

/**
 * A plan as text: each stage with what it waits for and its steps, a line each with where it is written.
 *
 * @example
 * ```ts
 * import { planAsText } from './plan-text.js'
 * const from = { file: 'Containerfile', line: 1, text: 'FROM scratch' }
 * const stage = { id: '0', name: '0', needs: [], steps: [{ id: '0:1', text: 'FROM scratch', position: from }] }
 * console.log(planAsText([stage]))
 * ```
 */
export function planAsText(stages: readonly PlannedStage[]): string {
  if (stages.length === 0) return 'nothing to build\n'
  return `${stages.map(stageText).join('\n\n')}\n\n${summary(stages)}\n`
}

/** One line of text: what is on several lines, or not for a terminal, is shown as it can be. */
export function lineOf(text: string, most: number): string {
  const line = printable(text.trim().replace(/\s*\n\s*/g, ' ⏎ '))
  const characters = [...line]
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : line
}

/** How many stages have to end, one after the other, before a stage can begin. */
export function levelsOf(stages: readonly PlannedStage[]): ReadonlyMap<string, number> {
  const levels = new Map<string, number>()
  const known = new Map(stages.map((stage) => [stage.id, stage]))
  const levelOf = (id: string, path: readonly string[]): number => {
    const level = levels.get(id)
    if (level !== undefined || path.includes(id)) return level ?? 0
    const needs = (known.get(id)?.needs ?? []).filter((need) => known.has(need))
    const found = needs.reduce((most, need) => Math.max(most, levelOf(need, [...path, id]) + 1), 0)
    levels.set(id, found)
    return found
  }
  for (const { id } of stages) levelOf(id, [])
  return levels
}

function stageText({ id, platform, needs, steps }: PlannedStage): string {
  const about = [
    ...(platform && !id.endsWith(` ${platform}`) ? [`for ${lineOf(platform, 60)}`] : []),
    ...(needs.length > 0 ? [`after ${needs.map((need) => lineOf(need, 60)).join(', ')}`] : []),
  ]
  const lines = steps.map(({ text, position }) => ({
    text: lineOf(text, textWidth),
    where: `${lineOf(position.file, 60)}:${position.line}`,
  }))
  const width = Math.max(0, ...lines.map(({ text }) => [...text].length))
  const head = `${lineOf(id, 80)}${about.length > 0 ? ` (${about.join('; ')})` : ''}`
  const rows = lines.map(({ text, where }) => `  ${text}${' '.repeat(width - [...text].length)}  ${where}`)
  return [head, ...rows].join('\n')
}

const textWidth = 90

function summary(stages: readonly PlannedStage[]): string {
  const steps = stages.reduce((sum, stage) => sum + stage.steps.length, 0)
  const levels = [...levelsOf(stages).values()]
  const widest = Math.max(...levels.map((level) => levels.filter((other) => other === level).length))
  const atOnce = widest > 1 ? `, at most ${widest} at once` : ''
  return `${count(stages.length, 'stage')}, ${count(steps, 'step')}${atOnce}`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
