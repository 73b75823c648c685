import { columnsOf, formatSize } from '../../image/table.js'
import { visible } from '../build/output.js'
import { styles, unstyled } from '../style.js'
import type { ProgressEvent } from './event.js'
import type { Tally, Totals, Tracked } from './tally.js'

/** `layer 3f2a9c1b0d4e`: what an event is about, in a form that a terminal can take. */
export function titleOf({ kind, name }: Pick<ProgressEvent, 'kind' | 'name'>): string {
  if (kind === 'package') return visible(name)
  const digits = /^sha256:([0-9a-f]{12})/.exec(name)?.[1]
  return `${kind === 'other' ? 'blob' : kind} ${digits ?? visible(name)}`
}

/** `12.3 MB of 45 MB`, or only what is there while the whole is not known. */
export function bytesText({ bytes, total }: Pick<ProgressEvent, 'bytes' | 'total'>): string {
  return total === undefined ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(total)}`
}

/** `10.2 MB/s`; empty while it is not known. */
export function rateText(perSecond: number | undefined): string {
  return perSecond === undefined ? '' : `${formatSize(Math.round(perSecond))}/s`
}

/** `12 s left`; empty while nothing can be said. */
export function leftText({ bytes, total }: Pick<ProgressEvent, 'bytes' | 'total'>, perSecond = 0): string {
  if (total === undefined || perSecond < 1 || bytes >= total) return ''
  return `${formatTime((total - bytes) / perSecond)} left`
}

/** `retrying in 3 s: ghcr.io: it cut the connection`. */
export function retryText({ state, retry }: Pick<ProgressEvent, 'state' | 'retry'>): string {
  return retry ? `${state} in ${formatTime(retry.seconds)}: ${visible(retry.reason)}` : state
}

/** What is told of a blob that is over: `45 MB in 4.2 s`. */
export function endText({ event, began, heard }: Tracked): string {
  if (event.state === 'exists') return 'there already'
  return `${formatSize(event.bytes)} in ${formatTime((heard - began) / 1000)}`
}

/** What is told of an operation that is over: `3 layers, 600 MB in 8.1 s, 74 MB/s`. */
export function sumText({ layers, counted, bytes }: Totals, seconds: number): string {
  const count = `${layers} ${counted}${layers === 1 ? '' : 's'}`
  if (bytes === 0) return `${count}, all there already`
  const rate = seconds < 0.3 ? '' : `, ${rateText(bytes / seconds)}`
  return `${count}, ${formatSize(bytes)} in ${formatTime(seconds)}${rate}`
}

/** What is told of an operation that goes on: `3 of 10 layers, 120 MB of 600 MB, 40 MB/s, 12 s left`. */
export function stateText(tally: Tally, now: number): string {
  const totals = tally.totals()
  const rate = tally.rate.perSecond(now)
  const layers = `${totals.layersDone} of ${totals.layers} ${totals.counted}${totals.layers === 1 ? '' : 's'}`
  return [layers, bytesText(totals), rateText(rate), leftText(totals, rate)].filter(Boolean).join(', ')
}

/** `0.4 s`, `12 s`, `2 min 5 s`, `1 h 3 min`. */
export function formatTime(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0.1, Number(seconds.toFixed(1)))} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${whole % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Cuts a line so that a terminal of so many columns shows it in one row. Styles take no room. */
export function cut(line: string, columns: number): string {
  if (columnsOf(unstyled(line)) <= columns) return line
  let text = ''
  let width = 0
  for (const piece of line.split(styles)) {
    if (piece.startsWith('\u001b')) text += piece
    else
      for (const c of piece) {
        width += columnsOf(c)
        if (width > columns) return text.includes('\u001b') ? `${text}\u001b[0m` : text
        text += c
      }
  }
  return text
}
