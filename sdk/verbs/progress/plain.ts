import type { Caller } from '../../namespace/caller.js'
import { type Display, isOver } from './event.js'
import { Tally, type Tracked } from './tally.js'
import { bytesText, endText, leftText, rateText, retryText, sumText, titleOf } from './text.js'

/** Lines one after the other: when a blob begins, when it is over, and every few seconds between. */
export function plainDisplay(caller: Caller, operation: string): Display {
  const tally = new Tally()
  const said = new Map<string, number>()
  const say = (text: string) => caller.say(`${operation}: ${text}\n`)
  return {
    note(event, now) {
      const tracked = tally.note(event, now)
      const before = said.get(event.name)
      if (event.state === 'waiting') return
      const isDue = before === undefined || event.state === 'retrying' || now - before >= pause
      if (!isOver(event) && !isDue) return
      say(`${titleOf(event)}: ${lineOf(tracked, now, before === undefined)}`)
      if (isOver(event)) said.delete(event.name)
      else said.set(event.name, now)
    },
    [Symbol.dispose]() {
      const time = tally.wholeTime(performance.now())
      if (time !== undefined) say(sumText(tally.totals(), time / 1000))
    },
  }
}

/** Milliseconds between two lines on the same blob. */
const pause = 5000

function lineOf(tracked: Tracked, now: number, isFirst: boolean): string {
  const { event, rate } = tracked
  if (isOver(event)) return event.state === 'done' ? `done, ${endText(tracked)}` : endText(tracked)
  if (isFirst) return event.total === undefined ? event.state : `${event.state} ${bytesText({ bytes: event.total })}`
  const perSecond = rate.perSecond(now)
  if (event.state === 'finishing' || event.state === 'retrying') return `${bytesText(event)}, ${retryText(event)}`
  return [bytesText(event), rateText(perSecond), leftText(event, perSecond)].filter(Boolean).join(', ')
}
