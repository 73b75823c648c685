import type { BuildEvent } from '../../containerfile/event.js'
import { formatCount } from '../../image/table.js'
import { formatTime } from '../progress/text.js'
import { visible } from './output.js'
import { type BuildRecord, type StepRecord, timeOf } from './record.js'

/** `[base 2/3]`: a step's place in its stage. */
export function placeOf({ stage, number }: Pick<StepRecord, 'stage' | 'number'>): string {
  return `[${visible(stage.id)} ${number}/${Math.max(stage.steps.length, number)}]`
}

/** The first line of a step, in a form that a terminal can take. */
export function titleOfStep({ text }: Pick<StepRecord, 'text'>): string {
  const [first = '', ...more] = text.split('\n')
  return more.length > 0 ? `${visible(first)} …` : visible(first)
}

/** `CACHED`, `12 s`, `FAILED`, `stopped`, and nothing for a step that waits. */
export function stateOf(step: StepRecord, now: number): string {
  switch (step.state) {
    case 'hit':
      return 'CACHED'
    case 'failed':
      return 'FAILED'
    case 'stopped':
      return 'stopped'
    case 'waiting':
      return ''
    default:
      return formatTime(timeOf(step, now) / 1000)
  }
}

/** `exit code 2 after 3.2 s`. */
export function failureOf(step: StepRecord): string {
  const after = `after ${formatTime(timeOf(step, 0) / 1000)}`
  return step.end?.exitCode === undefined ? after : `exit code ${step.end.exitCode} ${after}`
}

/** What is told of a build that goes on: `7 of 20 steps, 3 CACHED, 2 of 5 stages at work, 12 s`. */
export function runningText(record: BuildRecord, now: number): string {
  const stages = [...record.stages.values()]
  const atWork = stages.filter(({ state }) => state === 'running').length
  const parts = [
    `${record.count('hit', 'done', 'failed')} of ${formatCount(record.steps.length, 'step')}`,
    ...cached(record),
    ...(stages.length > 1 ? [`${atWork} of ${stages.length} stages at work`] : []),
    formatTime((now - (record.began ?? now)) / 1000),
  ]
  return parts.join(', ')
}

/** What is told of a build that is over: `20 steps, 3 CACHED, in 12 s`. */
export function overText(record: BuildRecord): string {
  const time = formatTime(timeOf(record, 0) / 1000)
  const steps = formatCount(record.count('hit', 'done', 'failed'), 'step')
  if (record.failed) return `failed after ${steps} and ${time}`
  return [steps, ...cached(record), `in ${time}`].join(', ')
}

function cached(record: BuildRecord): readonly string[] {
  const hits = record.count('hit')
  return hits === 0 ? [] : [`${hits} CACHED`]
}

/** `image 3f2a9c1b0d4e localhost/web:latest for linux/arm64`. */
export function imageText({ id, names, platform }: Extract<BuildEvent, { readonly type: 'image' }>): string {
  const digits = id.replace(/^sha256:/, '').slice(0, 12)
  return visible(['image', digits, ...names, ...(platform ? [`for ${platform}`] : [])].join(' '))
}

/** `Containerfile:3: the form is obsolete`. */
export function warningText({ message, position }: Extract<BuildEvent, { readonly type: 'warning' }>): string {
  return visible(position ? `${position.file}:${position.line}: ${message}` : message)
}
