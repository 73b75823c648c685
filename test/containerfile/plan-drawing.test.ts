import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { inflateSync } from 'node:zlib'
import type { PlannedStage } from '../../sdk/containerfile/event.js'
import { layOut } from '../../sdk/containerfile/plan-layout.js'
import { planAsSvg } from '../../sdk/containerfile/plan-svg.js'
import { levelsOf, planAsText } from '../../sdk/containerfile/plan-text.js'
import { command, needs, tempDir } from '../lane.js'

const folder = tempDir({ after })

function stage(id: string, wants: readonly string[], texts: readonly string[], platform?: string): PlannedStage {
  const steps = texts.map((text, i) => ({
    id: `${id}:${i}`,
    text,
    position: { file: 'Containerfile', line: i + 1, text },
  }))
  return { id, name: id, needs: wants, steps, ...(platform ? { platform } : {}) }
}

const stages = [
  stage('deps', [], ['FROM debian:12 AS deps', 'RUN make']),
  stage('assets', [], ['FROM node AS assets', 'RUN <<EOF\nnpm ci\nEOF']),
  stage('build', ['deps'], ['FROM deps AS build']),
  stage('2', ['build', 'assets', 'deps'], ['FROM scratch', 'COPY --from=build /a /'], 'linux/arm64'),
]

test('draws a plan as text', () =>
  assert.equal(
    planAsText(stages),
    [
      'deps',
      '  FROM debian:12 AS deps  Containerfile:1',
      '  RUN make                Containerfile:2',
      '',
      'assets',
      '  FROM node AS assets       Containerfile:1',
      '  RUN <<EOF ⏎ npm ci ⏎ EOF  Containerfile:2',
      '',
      'build (after deps)',
      '  FROM deps AS build  Containerfile:1',
      '',
      '2 (for linux/arm64; after build, assets, deps)',
      '  FROM scratch            Containerfile:1',
      '  COPY --from=build /a /  Containerfile:2',
      '',
      '4 stages, 7 steps, at most 2 at once',
      '',
    ].join('\n'),
  ))

test('a plan without stages, and one that goes in a circle, are drawn all the same', () => {
  assert.equal(planAsText([]), 'nothing to build\n')
  const circle = [stage('a', ['b'], ['FROM b']), stage('b', ['a', 'gone'], ['FROM a'])]
  assert.match(planAsText(circle), /2 stages, 2 steps/)
  assert.match(planAsSvg(circle), /<\/svg>/)
  assert.match(planAsSvg([]), /<\/svg>/)
})

test('what is in the file cannot leave its place', () => {
  const evil = 'RUN </text><script>alert("1")</script> & \u001b[31m \ud800 \ufffe'
  const svg = planAsSvg([stage('<a>"\'', [], [evil, `RUN ${'x'.repeat(500)}`])])
  for (const bad of ['<script', '\u001b', '\ufffe', '<a>']) assert.ok(!svg.includes(bad), bad)
  assert.match(svg, /&#60;\/text&#62;&#60;script&#62;/)
  assert.match(planAsText([stage('a', [], [evil])]), /\\x1b\[31m/)
  assert.equal([...planAsText([stage('a', [], [`RUN ${'x'.repeat(500)}`])]).matchAll(/x/g)].length < 100, true)
})

test('no box lies on another, and a way over a column has a lane there', () => {
  const many = [
    ...Array.from({ length: 5 }, (_, i) => stage(`a${i}`, [], ['FROM x', 'RUN y'])),
    ...Array.from({ length: 4 }, (_, i) => stage(`b${i}`, [`a${i}`, `a${i + 1}`], ['FROM x'])),
    stage('end', ['a0', 'b3'], ['FROM scratch']),
  ]
  const { boxes, ways, width, height } = layOut(many)
  for (const a of boxes)
    for (const b of boxes) {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
      assert.ok(a === b || apart, `${a.stage.id} and ${b.stage.id}`)
    }
  for (const box of boxes) assert.ok(box.x >= 0 && box.x + box.width <= width && box.y + box.height <= height)
  const lane = ways.find(({ from, to }) => from === 'a0' && to === 'end')?.points.slice(1, 3) ?? []
  assert.equal(lane.length, 2)
  for (const { x, y, height: tall, width: wide } of boxes)
    for (const [laneX, laneY] of lane) assert.ok(laneX < x || laneX > x + wide || laneY < y || laneY > y + tall)
})

test('a long chain is drawn at once', () => {
  const chain = Array.from({ length: 500 }, (_, i) => stage(`s${i}`, i === 0 ? [] : [`s${i - 1}`], ['FROM x']))
  assert.equal(levelsOf(chain).get('s499'), 499)
  assert.match(planAsSvg(chain), /<\/svg>/)
})

test('a browser shows it', async (t) => {
  if (!needs(t, 'chromium')) return
  writeFileSync(join(folder, 'plan.svg'), planAsSvg(stages))
  const words = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}/profile`]
  const size = ['--window-size=1200,300', '--hide-scrollbars', `--screenshot=${folder}/plan.png`]
  const { stderr } = await command(['chromium', ...words, ...size, `file://${folder}/plan.svg`])
  const colours = coloursOf(readFileSync(join(folder, 'plan.png')))
  // The bars, the boxes and the page, as the style says.
  for (const colour of ['0b5cad', 'f6f8fa', 'ffffff'])
    assert.ok((colours.get(colour) ?? 0) > 1000, `${colour}: ${stderr}`)
})

/** How often each colour is in a PNG of 8 bits a channel. Source: PNG specification, "Filtering". */
function coloursOf(png: Buffer): ReadonlyMap<string, number> {
  const [width, height, type] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25]]
  const parts: Buffer[] = []
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  const data = inflateSync(Buffer.concat(parts))
  const depth = type === 6 ? 4 : 3
  const stride = width * depth
  const found = new Map<string, number>()
  let above = Buffer.alloc(stride)
  for (let row = 0; row < height; row++) {
    const filter = data[row * (stride + 1)]
    const line = Buffer.from(data.subarray(row * (stride + 1) + 1, (row + 1) * (stride + 1)))
    for (let i = 0; i < stride; i++) {
      const [left, corner] = i < depth ? [0, 0] : [line[i - depth] ?? 0, above[i - depth] ?? 0]
      const up = above[i] ?? 0
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0
      line[i] = ((line[i] ?? 0) + guess) & 255
    }
    for (let x = 0; x < width; x++) {
      const colour = line.toString('hex', x * depth, x * depth + 3)
      found.set(colour, (found.get(colour) ?? 0) + 1)
    }
    above = line
  }
  return found
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)]
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c
}
