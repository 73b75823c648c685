import { formatCount, formatSize } from '../../image/table.js'
import { html, type Markup, type Piece } from '../html.js'
import type { ReportedLayer } from '../reported.js'
import { anchorOf } from './report-timeline.js'

/** A row for each layer: how big it is beside the others, the step that made it, and its biggest files. */
export function layersSection(layers: readonly ReportedLayer[]): readonly Markup[] {
  const most = Math.max(...layers.map(({ size }) => size), 1)
  const groups = new Map<string | undefined, ReportedLayer[]>()
  for (const layer of layers) {
    const group = groups.get(layer.image)
    if (group) group.push(layer)
    else groups.set(layer.image, [layer])
  }
  return [...groups].map(([image, group]) => table(image, group, most))
}

function table(image: string | undefined, layers: readonly ReportedLayer[], most: number): Markup {
  const sum = layers.reduce((all, { size }) => all + size, 0)
  return html`<table class="layers">
<caption><strong>${image ?? 'Layers that are in no image'}</strong> ${formatCount(layers.length, 'layer')}, ${formatSize(sum)}</caption>
<thead><tr><th scope="col">Layer</th><th scope="col" class="number">Size</th><th scope="col"><span class="hidden">Beside the biggest</span></th><th scope="col">Made by</th><th scope="col">Files</th></tr></thead>
<tbody>${layers.map((layer) => row(layer, most))}</tbody>
</table>`
}

function row({ diffID, size, step, files }: ReportedLayer, most: number): Markup {
  return html`
<tr><td><code title="${diffID}">${diffID.slice(7, 19)}</code></td><td class="number">${formatSize(size)}</td>
<td class="size"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect x="0" y="0" width="${((size / most) * 100).toFixed(2)}" height="10"/></svg></td>
<td>${step ? html`<a href="#${anchorOf(step)}"><code>${step.text}</code></a>` : 'the base image'}</td>
<td>${files ? filesOf(files) : 'not unpacked here'}</td></tr>`
}

function filesOf({ count, removed, biggest }: NonNullable<ReportedLayer['files']>): Piece {
  const text = `${formatCount(count, 'file')}${removed > 0 ? `, ${removed} taken away` : ''}`
  if (biggest.length === 0) return text
  return html`<details><summary>${text}</summary><table class="files"><caption class="hidden">The biggest files</caption>
<tbody>${biggest.map(
    ({ name, size }) => html`<tr><td class="number">${formatSize(size)}</td><td><code>/${name}</code></td></tr>`,
  )}</tbody></table></details>`
}
