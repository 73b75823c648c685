import type { Caller } from '../../namespace/caller.js'
import { type Block, screenOf } from '../screen.js'
import { type Display, isOver } from './event.js'
import { Tally, type Tracked } from './tally.js'
import { bytesText, endText, leftText, rateText, retryText, stateText, sumText, titleOf } from './text.js'

/** Lines of a terminal that are redrawn in place; a blob that is over leaves its line above them. */
export function terminalDisplay(caller: Caller, operation: string): Display {
  const tally = new Tally()
  const screen = screenOf(caller)
  const block: Block = { lines: (rows, columns, now) => linesOf(tally, operation, { rows, columns, now }) }
  screen.add(block)
  return {
    note(event, now) {
      const tracked = tally.note(event, now)
      if (isOver(event)) screen.print(overLine(tracked))
      else screen.wake()
    },
    [Symbol.dispose]() {
      const time = tally.wholeTime(performance.now())
      if (time !== undefined) screen.print(`${operation}: ${sumText(tally.totals(), time / 1000)}`)
      screen.remove(block)
    },
  }
}

interface Space {
  readonly rows: number
  readonly columns: number
  readonly now: number
}

/** One line a blob that is at work, as many as there is room for, and a line for all of them. */
function linesOf(tally: Tally, operation: string, { rows, columns, now }: Space): readonly string[] {
  const atWork = tally.atWork()
  const { layers } = tally.totals()
  if (atWork.length === 0 && layers === 0) return []
  const lines = atWork.map((one) => runningLine(one, columns, now))
  if (layers <= 1 && lines.length <= Math.max(rows, 1)) return lines
  return [...lines.slice(0, Math.max(rows - 1, 0)), `${operation}: ${stateText(tally, now)}`]
}

/** `layer 3f2a9c1b0d4e  [=====>     ]  12.3 MB of 45 MB  10.2 MB/s  3 s left`. */
function runningLine({ event, rate }: Tracked, columns: number, now: number): string {
  const perSecond = rate.perSecond(now)
  const isCopying = event.state === 'copying' || event.state === 'packing'
  const ends = isCopying ? [rateText(perSecond).padStart(9), leftText(event, perSecond)] : [retryText(event)]
  const wide = [titleOf(event).padEnd(titleWidth), ...barOf(event, columns), bytesText(event).padEnd(18), ...ends]
  const line = wide.join('  ').trimEnd()
  if (line.length <= columns) return line
  return [titleOf(event), bytesText(event), ...ends.map((text) => text.trim())].filter(Boolean).join(' ')
}

function overLine(tracked: Tracked): string {
  return `${titleOf(tracked.event).padEnd(titleWidth)}  ${endText(tracked)}`
}

/** "config" and the first 12 digits of a digest. */
const titleWidth = 19

/** A narrow terminal needs its room for the numbers. */
function barOf({ bytes, total }: Tracked['event'], columns: number): readonly string[] {
  const width = Math.min(30, columns - 72)
  if (width < 6 || total === undefined) return []
  const filled = total === 0 ? width : Math.min(width, Math.floor((bytes / total) * width))
  const head = filled < width ? '>' : ''
  return [`[${`${'='.repeat(filled)}${head}`.padEnd(width)}]`]
}
