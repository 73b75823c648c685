import type { PlannedStage } from './event.js'
import { levelsOf } from './plan-text.js'

/** A stage's box, in pixels. */
export interface Box {
  readonly stage: PlannedStage
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A way from one stage to one that waits for it, through points. */
export interface Way {
  readonly from: string
  readonly to: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** Where everything of a drawing is. */
export interface Layout {
  readonly width: number
  readonly height: number
  readonly boxes: readonly Box[]
  readonly ways: readonly Way[]
}

/** Sizes in pixels. */
export const sizes = { box: 420, gap: 90, margin: 24, head: 34, line: 20, foot: 10, between: 26, lane: 10 } as const

/**
 * Places the stages of a plan: those that need nothing on the left, each further right than what it needs. A way over several
 * columns has a lane of its own in those between, so that it crosses no box.
 */
export function layOut(stages: readonly PlannedStage[]): Layout {
  const { nodes, ways } = nodesOf(stages)
  const columns = inColumns(nodes)
  for (const column of columns.slice(1)) order(column, nodes)
  const height = Math.max(...columns.map(heightOf), 0)
  const places = new Map<string, { x: number; y: number; node: Node }>()
  for (const [level, column] of columns.entries()) {
    let y = sizes.margin + (height - heightOf(column)) / 2
    for (const node of column) {
      places.set(node.key, { x: sizes.margin + level * (sizes.box + sizes.gap), y, node })
      y += node.height + sizes.between
    }
  }
  const boxes = [...places.values()].flatMap(({ x, y, node }) =>
    node.stage ? [{ stage: node.stage, x, y, width: sizes.box, height: node.height }] : [],
  )
  return {
    width: 2 * sizes.margin + columns.length * sizes.box + Math.max(0, columns.length - 1) * sizes.gap,
    height: 2 * sizes.margin + height,
    boxes,
    ways: ways.map(({ keys, from, to }) => ({ from, to, points: pointsOf(keys, places) })),
  }
}

/** A box, or the lane of a way that passes. */
interface Node {
  readonly key: string
  readonly level: number
  readonly height: number
  readonly stage?: PlannedStage
  /** Keys of those one column to the left. */
  readonly before: string[]
}

interface Passage {
  readonly from: string
  readonly to: string
  readonly keys: readonly string[]
}

function nodesOf(stages: readonly PlannedStage[]): { nodes: Map<string, Node>; ways: readonly Passage[] } {
  const levels = levelsOf(stages)
  const nodes = new Map<string, Node>()
  for (const stage of stages) {
    const height = sizes.head + stage.steps.length * sizes.line + sizes.foot
    nodes.set(stage.id, { key: stage.id, level: levels.get(stage.id) ?? 0, height, stage, before: [] })
  }
  const ways = stages.flatMap(({ id, needs }) =>
    [...new Set(needs)].filter((need) => nodes.has(need)).map((need) => passage(need, id, levels, nodes)),
  )
  return { nodes, ways }
}

function passage(from: string, to: string, levels: ReadonlyMap<string, number>, nodes: Map<string, Node>): Passage {
  const keys = [from]
  for (let level = (levels.get(from) ?? 0) + 1; level < (levels.get(to) ?? 0); level++) {
    const key = `${from}\0${to}\0${level}`
    nodes.set(key, { key, level, height: sizes.lane, before: [keys.at(-1) ?? from] })
    keys.push(key)
  }
  nodes.get(to)?.before.push(keys.at(-1) ?? from)
  return { from, to, keys: [...keys, to] }
}

function inColumns(nodes: ReadonlyMap<string, Node>): Node[][] {
  const columns: Node[][] = []
  for (const node of nodes.values()) {
    while (columns.length <= node.level) columns.push([])
    columns[node.level]?.push(node)
    position.set(node, (columns[node.level]?.length ?? 1) - 1)
  }
  return columns
}

/** Near what it comes from: fewer ways cross. */
function order(column: Node[], nodes: ReadonlyMap<string, Node>): void {
  const mean = ({ before }: Node) => {
    const places = before.map((key) => position.get(nodes.get(key) as Node) ?? 0)
    return places.length === 0 ? 0 : places.reduce((sum, place) => sum + place, 0) / places.length
  }
  column.sort((a, b) => mean(a) - mean(b))
  for (const [place, node] of column.entries()) position.set(node, place)
}

/** A node's place in its column. */
const position = new WeakMap<Node, number>()

function heightOf(column: readonly Node[]): number {
  return column.reduce((sum, { height }) => sum + height, 0) + Math.max(0, column.length - 1) * sizes.between
}

function pointsOf(
  keys: readonly string[],
  places: ReadonlyMap<string, { x: number; y: number; node: Node }>,
): (readonly [number, number])[] {
  return keys.flatMap((key, i) => {
    const place = places.get(key)
    if (!place) return []
    const y = place.y + (place.node.stage ? sizes.head / 2 : place.node.height / 2)
    const [left, right] = [[place.x, y] as const, [place.x + sizes.box, y] as const]
    if (i === 0) return [right]
    return i === keys.length - 1 ? [left] : [left, right]
  })
}
