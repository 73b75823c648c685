/** The measured rows as a Markdown table, and its place in a document. */
import type { Row } from './pair.js'

/** A Markdown table; times with three significant digits. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ work, ours, ours_ms, peer, peer_ms, ratio, aim }) => [
    work,
    ours ?? time(ours_ms),
    peer ?? '',
    time(peer_ms),
    ratio === undefined ? '' : ratio.toFixed(2),
    aim ?? '',
  ])
  return [['work', 'builder', 'peer', 'its time', 'ratio', 'aim'], Array(6).fill('---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

/** Puts text between the lines `<!-- bench -->` and `<!-- /bench -->` of a document. */
export function putTable(document: string, text: string): string {
  const [begin, end] = ['<!-- bench -->', '<!-- /bench -->']
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the document has no lines ${begin} and ${end}`)
  return `${document.slice(0, from + begin.length)}\n${text}\n${document.slice(to)}`
}

function time(ms: number | undefined): string {
  if (ms === undefined) return ''
  return ms >= 1000 ? `${(ms / 1000).toPrecision(3)} s` : `${Number(ms.toPrecision(3))} ms`
}
