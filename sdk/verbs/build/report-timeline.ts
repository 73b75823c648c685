import { html, type Markup } from '../html.js'
import { formatTime } from '../progress/text.js'
import { type BuildRecord, type StageRecord, type StepRecord, timeOf } from './record.js'

/** A row for each stage and a bar for each step, where it began and as long as it took; each bar leads to its step. */
export function timeline(record: BuildRecord): Markup {
  const whole = Math.max(timeOf(record, 0), 1)
  const began = record.began ?? 0
  const rows = [...record.stages.values()].map((stage) => row(stage, began, whole))
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => exactTime(whole * part))
  return html`<div class="timeline">${rows}<span></span><div class="axis" aria-hidden="true">${marks.map(
    (mark) => html`<span>${mark}</span>`,
  )}</div></div>
<p class="legend" aria-hidden="true">${(['done', 'hit', 'failed', 'stopped'] as const).map(
    (state) => html`<span class="state ${state}">${state === 'hit' ? 'CACHED' : state}</span>`,
  )}</p>`
}

/** The name of a step's place on the page. */
export function anchorOf({ order }: Pick<StepRecord, 'order'>): string {
  return `step-${order}`
}

function row(stage: StageRecord, began: number, whole: number): Markup {
  const bars = stage.steps.filter((step) => step.began !== undefined).map((step) => bar(step, began, whole))
  return html`
<span class="name" title="${stage.id}">${stage.id}</span><svg viewBox="0 0 1000 10" preserveAspectRatio="none" role="group" aria-label="Steps of ${stage.id}">${bars}</svg>`
}

function bar(step: StepRecord, began: number, whole: number): Markup {
  const x = (((step.began ?? began) - began) / whole) * 1000
  const width = Math.max((timeOf(step, (step.began ?? 0) + 1) / whole) * 1000, thinnest)
  const title = `${step.text}: ${step.state === 'hit' ? 'CACHED' : `${step.state}, ${exactTime(timeOf(step, 0))}`}`
  return html`<a href="#${anchorOf(step)}" aria-label="${title}"><rect class="${step.state}" x="${Math.min(x, 1000 - thinnest).toFixed(2)}" y="0" width="${width.toFixed(2)}" height="10"><title>${title}</title></rect></a>`
}

/** Of 1000: what takes no time can be seen and clicked. */
const thinnest = 3

/** `40 ms`, `0`, or as everywhere from a second on. */
export function exactTime(milliseconds: number): string {
  if (milliseconds === 0) return '0'
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : formatTime(milliseconds / 1000)
}
