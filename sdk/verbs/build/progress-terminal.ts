import type { Caller } from '../../namespace/caller.js'
import { type Block, screenOf } from '../screen.js'
import { type Style, styled } from '../style.js'
import type { BuildDisplay, BuildRecord, StepRecord } from './record.js'
import { failureOf, imageText, overText, placeOf, runningText, stateOf, titleOfStep, warningText } from './text.js'

/** The steps at work with the end of their output, redrawn in place; a step that is over leaves its line above them. */
export function terminalBuild(caller: Caller, record: BuildRecord): BuildDisplay {
  const screen = screenOf(caller)
  const block: Block = { lines: (rows) => linesOf(record, rows, Date.now()) }
  screen.add(block)
  return {
    note(event) {
      if (event.type === 'warning') screen.print(`${styled('warning:', 'yellow')} ${warningText(event)}`)
      if (event.type === 'image') screen.print(`build: ${imageText(event)}`)
      const step = event.type === 'step-end' ? record.step(event.step) : undefined
      if (step) screen.print(overLine(step))
      else screen.wake()
    },
    [Symbol.dispose]() {
      if (record.began !== undefined) screen.print(`build: ${overText(record)}`)
      screen.remove(block)
    },
  }
}

/**
 * A line for each step at work, below it the end of its output as far as there is room for all, and a line for the build.
 * Where there is no room for all, the steps that have worked longest come first.
 */
function linesOf(record: BuildRecord, rows: number, now: number): readonly string[] {
  const sum = `build: ${runningText(record, now)}`
  const running = [...record.running()].sort((a, b) => (a.began ?? 0) - (b.began ?? 0))
  const room = Math.max(rows - 1, 0)
  const shown = running.slice(0, room)
  const hidden = running.length - shown.length
  const each = Math.min(mostTail, Math.floor((room - shown.length) / Math.max(shown.length, 1)))
  const lines = shown.flatMap((step) => [stepLine(step, now), ...tailLines(step, each)])
  return [...lines, hidden > 0 ? `${sum}, ${hidden} more at work` : sum]
}

/** Lines of output under a step. */
const mostTail = 6

function tailLines(step: StepRecord, count: number): readonly string[] {
  if (count < 1) return []
  return step.output.last(count).map((line) => styled(`${' '.repeat(stateWidth)}  ${line}`, 'dim'))
}

/** `    12 s  [base 2/3] RUN apt-get update`. */
function stepLine(step: StepRecord, now: number): string {
  const state = stateOf(step, now).padStart(stateWidth)
  const style = stateStyles[step.state]
  return `${style ? styled(state, style) : state}  ${placeOf(step)} ${titleOfStep(step)}`
}

/** `1 min 12 s`. */
const stateWidth = 10

const stateStyles: Readonly<Partial<Record<StepRecord['state'], Style>>> = {
  done: 'green',
  hit: 'cyan',
  failed: 'red',
  stopped: 'yellow',
}

function overLine(step: StepRecord): string {
  const line = stepLine(step, 0)
  return step.state === 'failed' ? `${line}: ${failureOf(step)}` : line
}
