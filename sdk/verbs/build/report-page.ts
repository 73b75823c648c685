import { createHash } from 'node:crypto'
import { formatCount, formatSize } from '../../image/table.js'
import { html, Markup, type Piece } from '../html.js'
import type { BuildReport } from '../reported.js'
import { type StageRecord, type StepRecord, timeOf } from './record.js'
import { layersSection } from './report-layers.js'
import { script, style } from './report-style.js'
import { anchorOf, exactTime, timeline } from './report-timeline.js'
import { stateOf } from './text.js'

/**
 * One page that says all about a build. It needs nothing but itself: its policy forbids every request, and every script and
 * style but its own. Source: W3C Content Security Policy Level 3.
 */
export function reportPage(report: BuildReport): string {
  const { record, layers, error } = report
  const title = record.images[0]?.names[0] ?? record.images[0]?.id.slice(0, 12) ?? 'a build'
  const failed = error !== undefined || record.failed !== undefined
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title} - builder build</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header>
<h1>${title} <span class="state ${failed ? 'failed' : 'done'}">${failed ? 'failed' : 'built'}</span></h1>
${totals(report)}
</header>
<main>
${failure(report)}
${section('Timeline', record.stages.size > 0 && timeline(record))}
${section('Steps', [...record.stages.values()].map(stageSection))}
${section('Layers', layers.length > 0 && layersSection(layers))}
${section('Warnings', record.warnings.length > 0 && warnings(report))}
</main>
<script>${new Markup(script)}</script>
</body>
</html>
`.text
}

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const policy = [
  "default-src 'none'",
  'img-src data:',
  `style-src ${hashOf(style)}`,
  `script-src ${hashOf(script)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

function section(title: string, content: Piece): Piece {
  if (content === false || (Array.isArray(content) && content.length === 0)) return ''
  const id = title.toLowerCase()
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${content}
</section>`
}

function totals({ record, layers }: BuildReport): Markup {
  const made = record.steps.filter(({ state }) => state === 'done')
  const inImages = layers.filter(({ image }) => image !== undefined)
  const added = made.reduce((sum, { end }) => sum + (end?.layer?.size ?? 0), 0)
  const rows: readonly (readonly [string, Piece])[] = [
    ['Begun', record.began === undefined ? 'never' : timeElement(record.began)],
    ['Time', exactTime(timeOf(record, 0))],
    ['Stages', record.stages.size],
    ['Steps', `${record.count('hit', 'done', 'failed')} of ${record.steps.length}`],
    ['From the cache', `${record.count('hit')} of ${formatCount(record.steps.length, 'step')}`],
    ['Added by steps', formatSize(added)],
    ...(inImages.length === 0
      ? []
      : [['Image', formatSize(inImages.reduce((sum, { size }) => sum + size, 0))] as const]),
    ...record.images.map(({ id, names }) => ['ID', html`<code>${[id, ...names].join(' ')}</code>`] as const),
  ]
  return html`<dl class="totals">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

function timeElement(time: number): Markup {
  const text = new Date(time).toISOString()
  return html`<time datetime="${text}">${text.replace('T', ' ').replace(/\..*/, ' UTC')}</time>`
}

function failure({ record, error }: BuildReport): Piece {
  if (error === undefined && !record.failed) return ''
  const step = record.failed
  return html`<section class="failure" role="alert">
<h2>Why it failed</h2>
${error !== undefined && html`<pre>${error}</pre>`}
${step && html`<p><a href="#${anchorOf(step)}">${step.text}</a></p>${output(step, true, mostLines)}`}
</section>`
}

/** On top of the page; with its step stands all that is known. */
const mostLines = 20

function stageSection({ id, needs, steps, state }: StageRecord): Markup {
  const after = needs.length === 0 ? '' : `, after ${needs.join(', ')}`
  return html`<table class="steps">
<caption><strong>${id}</strong> ${state}${after}</caption>
<thead><tr><th scope="col">Step</th><th scope="col">Result</th><th scope="col" class="number">Time</th><th scope="col" class="number">Layer</th></tr></thead>
<tbody>${steps.map(stepRow)}</tbody>
</table>`
}

function stepRow(step: StepRecord): Markup {
  const { state, text, position, end } = step
  const time = state === 'done' || state === 'failed' || state === 'stopped' ? exactTime(timeOf(step, 0)) : ''
  return html`
<tr id="${anchorOf(step)}" tabindex="-1"><td><code>${text}</code>${
    position && html`<small>${position.file}:${position.line}</small>`
  }${why(step)}${state !== 'hit' && output(step, state === 'failed')}</td>
<td><span class="state ${state}">${state === 'done' ? 'done' : stateOf(step, 0) || 'waiting'}</span></td>
<td class="number">${time}</td><td class="number">${end?.layer && formatSize(end.layer.size)}</td></tr>`
}

/** Why the cache had it or had it not. */
function why({ end }: StepRecord): Piece {
  const explanation = end?.explanation
  if (!explanation) return ''
  if (explanation.state === 'hit')
    return explanation.from === undefined ? '' : html`<p class="why">from ${explanation.from}</p>`
  const { differs, reason } = explanation
  return html`<p class="why">not in the cache: ${reason}</p>${
    differs &&
    html`<dl class="differs"><dt>${differs.input} was</dt><dd><code>${differs.was}</code></dd><dt>is</dt><dd><code>${differs.is}</code></dd></dl>`
  }`
}

function output({ output }: StepRecord, isOpen: boolean, most = Number.POSITIVE_INFINITY): Piece {
  const lines = output.last(most)
  if (lines.length === 0) return ''
  const before = output.count - lines.length
  const title = before > 0 ? `Output, the last ${formatCount(lines.length, 'line')}` : 'Output'
  return html`<details${isOpen && new Markup(' open')}><summary>${title}</summary><pre tabindex="0">${lines.join('\n')}</pre></details>`
}

function warnings({ record }: BuildReport): Markup {
  return html`<ul>${record.warnings.map(
    ({ message, position }) =>
      html`<li>${position && html`<code>${position.file}:${position.line}</code> `}${message}</li>`,
  )}</ul>`
}
