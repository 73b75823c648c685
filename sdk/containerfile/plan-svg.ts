import type { PlannedStage } from './event.js'
import { type Box, layOut, sizes, type Way } from './plan-layout.js'
import { lineOf } from './plan-text.js'

/**
 * A plan as a picture: a self-contained SVG 1.1 document, a box for each stage with its steps, an arrow to each stage that waits for
 * it. It follows the reader's light or dark scheme; the whole text of a step and its place show when the pointer rests on it.
 *
 * @example
 * ```ts
 * import { planAsSvg } from './plan-svg.js'
 * const from = { file: 'Containerfile', line: 1, text: 'FROM scratch' }
 * const stage = { id: '0', name: '0', needs: [], steps: [{ id: '0:1', text: 'FROM scratch', position: from }] }
 * const svg = planAsSvg([stage])
 * ```
 */
export function planAsSvg(stages: readonly PlannedStage[]): string {
  const { width, height, boxes, ways } = layOut(stages)
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="The stages of a build">`,
    `<style>${style}</style>`,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">',
    '<path class="head" d="M0 0 8 4 0 8z"/></marker></defs>',
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...ways.map(drawWay),
    ...boxes.map(drawBox),
    '</svg>\n',
  ].join('\n')
}

const style = `
svg{--page:#fff;--box:#f6f8fa;--edge:#57606a;--bar:#0b5cad;--name:#fff;--text:#1f2328;--way:#57606a}
@media (prefers-color-scheme:dark){svg{--page:#0d1117;--box:#161b22;--edge:#8b949e;--bar:#1f6feb;--text:#e6edf3;--way:#8b949e}}
.page{fill:var(--page)}.box{fill:var(--box);stroke:var(--edge)}.bar{fill:var(--bar)}
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--text);white-space:pre}
.name{font-weight:bold;font-size:13px;fill:var(--name)}.platform{fill:var(--name);text-anchor:end}
.verb{font-weight:bold}.way{fill:none;stroke:var(--way);stroke-width:1.6}.head{fill:var(--way)}
`

/** Level where it leaves and where it arrives. */
function drawWay({ from, to, points }: Way): string {
  const [start = [0, 0], ...rest] = points
  let [x, y] = start
  let path = `M${x} ${y}`
  for (const [nextX, nextY] of rest) {
    const middle = (x + nextX) / 2
    path += y === nextY ? `H${nextX}` : `C${middle} ${y} ${middle} ${nextY} ${nextX} ${nextY}`
    ;[x, y] = [nextX, nextY]
  }
  return `<path class="way" marker-end="url(#head)" d="${path}"><title>${escaped(to, 200)} waits for ${escaped(from, 200)}</title></path>`
}

function drawBox({ stage, x, y, width, height }: Box): string {
  const { name, id, platform, steps } = stage
  const shown = platform && id.startsWith(name) ? name : id
  const right = x + width
  const middle = y + sizes.head / 2 + 4.5
  return [
    '<g>',
    `<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`,
    `<path class="bar" d="M${x} ${y + sizes.head}v${6 - sizes.head}q0-6 6-6h${width - 12}q6 0 6 6v${sizes.head - 6}z"/>`,
    `<text class="name" x="${x + 12}" y="${middle}">${escaped(shown, platform ? 28 : 48)}</text>`,
    ...(platform ? [`<text class="platform" x="${right - 12}" y="${middle}">${escaped(platform, 22)}</text>`] : []),
    ...steps.map((step, i) => drawStep(step, x + 12, y + sizes.head + (i + 1) * sizes.line - 4)),
    '</g>',
  ].join('\n')
}

function drawStep({ text, position }: PlannedStage['steps'][number], x: number, y: number): string {
  const line = lineOf(text, stepWidth)
  const [, verb = '', rest = ''] = /^(\S*)(.*)$/s.exec(line) ?? []
  const words = `<tspan class="verb">${xml(verb)}</tspan>${xml(rest)}`
  const whole = `${escaped(text, 2000)}\n${escaped(position.file, 500)}:${position.line}`
  return `<text x="${x}" y="${y}">${words}<title>${whole}</title></text>`
}

/** Characters of 12 px that a box has room for. */
const stepWidth = 54

function escaped(text: string, most: number): string {
  return xml(lineOf(text, most))
}

/** Source: XML 1.0, "Char" and "Character Data and Markup"; control characters are visible already. */
function xml(text: string): string {
  // Half of a surrogate pair becomes a replacement character.
  return Buffer.from(text)
    .toString()
    .replace(/[\uFFFE\uFFFF]/g, '\uFFFD')
    .replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)
}
