import type { StepRecord } from './record.js'
import { failureOf, placeOf, titleOfStep } from './text.js'

/**
 * What is shown of a step that failed: its place, how it ended, and the end of what it printed. Where it is written, with
 * the line and the caret, is said by the error of the build.
 */
export function failureBlock(step: StepRecord): string {
  const lines = step.output.last(mostLines)
  const dropped = step.output.count - lines.length
  return [
    `${placeOf(step)} ${titleOfStep(step)}: ${failureOf(step)}`,
    ...(lines.length === 0 ? ['  it printed nothing'] : []),
    ...(dropped > 0 ? [`  (${dropped} lines before)`] : []),
    ...lines.map((line) => `  ${line}`),
    '',
  ].join('\n')
}

/** The end is where the reason stands. */
const mostLines = 40
