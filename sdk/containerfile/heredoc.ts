import type { LineReader, LogicalLine } from './logical-line.js'
import type { Heredoc } from './syntax.js'

/** A `<<NAME` as it stands in a line. */
export interface HeredocMark {
  readonly name: string
  /** Where the mark stands in the logical line. */
  readonly at: number
  readonly length: number
  /** `<<-`: leading tabs are removed. */
  readonly stripsTabs: boolean
  readonly expand: boolean
}

/**
 * Finds the heredocs of a line from an offset on. As in the reference they begin a word and do not stand in quotes; as in the
 * shell the name ends at `;`, `&`, `|`, `<`, `>`, `(` and `)`. Source: Dockerfile reference, "Here-Documents".
 */
export function heredocMarks(text: string, from: number): readonly HeredocMark[] {
  const found: HeredocMark[] = []
  let at = from
  while (at < text.length) {
    at = afterBlanks(text, at)
    const mark = markAt(text, at)
    if (mark && mark.name !== '') found.push(mark)
    const end = mark ? mark.at + mark.length : afterWord(text, at)
    // Quotes that are never closed: the reference sees no heredocs then, and the shell will complain about the quotes.
    if (end === undefined) return []
    at = end
  }
  return found
}

/** Reads the bodies of the heredocs of a line from the lines below it. Throws `INVALID` for one that does not end. */
export function readBodies(reader: LineReader, line: LogicalLine, marks: readonly HeredocMark[]): readonly Heredoc[] {
  return marks.map((mark) => ({ name: mark.name, content: bodyOf(reader, line, mark), expand: mark.expand }))
}

function bodyOf(reader: LineReader, line: LogicalLine, { name, at, length, stripsTabs }: HeredocMark): string {
  const body: string[] = []
  for (let written = reader.body(); written !== undefined; written = reader.body()) {
    const content = stripsTabs ? withoutTabs(written) : written
    if (content.replace(/[\r\n]+$/, '') === name) return body.join('')
    body.push(content)
  }
  const hint = `end it with a line that says only ${name}${stripsTabs ? '' : ', without blanks around it'}`
  throw line.wrong(at, length, `the heredoc ${name} never ends`, hint)
}

function withoutTabs(line: string): string {
  let at = 0
  while (line[at] === '\t') at++
  return line.slice(at)
}

function markAt(text: string, at: number): HeredocMark | undefined {
  let start = at
  while (/\d/.test(text[start] ?? '')) start++
  if (!text.startsWith('<<', start) || text[start + 2] === '<') return undefined
  const stripsTabs = text[start + 2] === '-'
  const word = nameAt(text, afterBlanks(text, start + (stripsTabs ? 3 : 2)))
  return word && { name: word.name, at, length: word.end - at, stripsTabs, expand: !word.quoted }
}

/** The name without its quotes; undefined when a quote is not closed. */
function nameAt(text: string, from: number): { name: string; end: number; quoted: boolean } | undefined {
  let [name, at, quoted] = ['', from, false]
  while (at < text.length && !/[\s;&|<>()]/.test(text[at] ?? '')) {
    const char = text[at] ?? ''
    if (char === "'" || char === '"') {
      const close = text.indexOf(char, at + 1)
      if (close < 0) return undefined
      name += text.slice(at + 1, close)
      quoted = true
      at = close + 1
    } else {
      if (char === '\\') at++
      name += text[at] ?? ''
      at++
    }
  }
  return { name, end: Math.min(at, text.length), quoted }
}

/** The end of a word of a shell's line; undefined when a quote or brace in it is not closed. */
function afterWord(text: string, from: number): number | undefined {
  let at = from
  while (at < text.length && !/\s/.test(text[at] ?? '')) {
    const char = text[at]
    if (char === '\\') at += 2
    else if (char === "'" || char === '"') {
      const end = afterQuote(text, at, char)
      if (end === undefined) return undefined
      at = end
    } else at++
  }
  return Math.max(at, from + 1)
}

function afterQuote(text: string, from: number, quote: string): number | undefined {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === quote) return at + 1
    if (text[at] === '\\' && quote === '"') at++
  }
  return undefined
}

function afterBlanks(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text[at] ?? '')) at++
  return at
}
