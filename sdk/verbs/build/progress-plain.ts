import type { Caller } from '../../namespace/caller.js'
import { visible } from './output.js'
import type { BuildDisplay, BuildRecord, StepRecord } from './record.js'
import { failureOf, imageText, overText, placeOf, stateOf, titleOfStep, warningText } from './text.js'

/** Lines one after the other, each with its stage and step in front; a step's time is at its end. */
export function plainBuild(caller: Caller, record: BuildRecord): BuildDisplay {
  const begun = new Set<StepRecord>()
  const lines = (step: StepRecord, texts: readonly string[]) => {
    if (texts.length === 0) return
    const place = placeOf(step)
    caller.say(texts.map((text) => `${place} ${text}\n`).join(''))
  }
  const begin = (step: StepRecord) => {
    if (begun.has(step)) return
    begun.add(step)
    lines(step, [titleOfStep(step)])
  }
  return {
    note(event, said) {
      if (event.type === 'warning') caller.say(`builder: warning: ${warningText(event)}\n`)
      if (event.type === 'image') caller.say(`build: ${imageText(event)}\n`)
      const step = 'step' in event ? record.step(event.step) : undefined
      if (!step) return
      begin(step)
      lines(
        step,
        said.map((line) => `  ${line}`),
      )
      if (event.type === 'step-end') lines(step, [endLine(step)])
    },
    [Symbol.dispose]() {
      if (record.began !== undefined) caller.say(`build: ${overText(record)}\n`)
    },
  }
}

function endLine(step: StepRecord): string {
  const state = stateOf(step, 0)
  if (step.state === 'done') return `done in ${state}`
  if (step.state === 'failed') return `${state}: ${visible(failureOf(step))}`
  return state
}
