import { BuilderError } from '../errors.js'
import { expansionAt } from './expansion.js'
import { visible } from './show.js'

/** A part of a word: plain text, or a variable that gets its value later. */
export interface Piece {
  /** For a variable what is between the braces, or the name after the `$`. */
  readonly text: string
  readonly isVariable: boolean
  /** True inside quotes or after a backslash. */
  readonly isQuoted: boolean
}

/** A word of a label, before substitution. */
export type LabelWord = readonly Piece[]

/** Bytes that one word of a command line may have. Source: execve(2), MAX_ARG_STRLEN. */
export const labelLimit = 128 * 1024

/**
 * Splits a label's text into words by the quoting rules of a POSIX shell (XCU 2.2), of which only these are known: `'…'`, `"…"`, `\`
 * and variables. What would need a shell - `;`, `|`, `&`, `<`, `>`, brackets, `$(…)`, backticks, a second line - is refused, outside
 * quotes. Globs and `~` are plain text.
 *
 * Throws `INVALID` for all that is refused, with the place in the text.
 *
 * @example
 * ```ts
 * import { splitLabel } from './words.js'
 * splitLabel(`sh -c "a b"`).map((word) => word.map(({ text }) => text).join('')) // ['sh', '-c', 'a b']
 * ```
 */
export function splitLabel(text: string): readonly LabelWord[] {
  checkText(text)
  const label = text.includes('\\\n') ? joinLines(text) : text
  const words: LabelWord[] = []
  let word: Piece[] | undefined
  let at = 0
  const { length } = label.trimEnd()
  while (at < label.length) {
    const c = label[at] as string
    if (/[ \t\n]/.test(c)) {
      if (c === '\n' && at < length && (word || words.length > 0)) throw refused(label, at, secondLine)
      if (word) words.push(word)
      word = undefined
      at++
    } else {
      if (!word && c === '#') throw refused(label, at, 'a # begins a comment')
      const read = readPiece(label, at)
      word ??= []
      for (const piece of read.pieces) word.push(piece)
      at = read.next
    }
  }
  if (word) words.push(word)
  if (words.length === 0) throw invalid('it has no words', 'give the label a command')
  return words
}

/** A backslash at the end of a line joins two, also in the middle of a name, but not in '…'. Source: XCU 2.2.1. */
function joinLines(label: string): string {
  const parts: string[] = []
  let quote = ''
  for (let i = 0; i < label.length; i++) {
    const c = label[i] as string
    if (c === '\\' && quote !== "'") {
      if (label[++i] !== '\n') parts.push(c, label[i] ?? '')
      continue
    }
    if (c === quote) quote = ''
    else if (quote === '' && (c === "'" || c === '"')) quote = c
    parts.push(c)
  }
  return parts.join('')
}

const secondLine = 'a second line is a second command'

function checkText(label: string): void {
  if (label.includes('\0')) throw invalid('it holds a NUL byte', 'no command line can hold one')
  const bytes = Buffer.byteLength(label)
  if (bytes > labelLimit) {
    const reason = `it is ${bytes} bytes long, more than the ${labelLimit} that a command line may have`
    throw invalid(reason, 'put the command into a script of the image')
  }
  const at = label.search(/(?![\t\n])\p{Cc}/u)
  if (at < 0) return
  const reason = `it holds the control character ${visible(label[at] as string)} at character ${at + 1}`
  throw invalid(reason, 'take it out: a terminal would obey it')
}

interface Read {
  readonly pieces: readonly Piece[]
  readonly next: number
}

function readPiece(label: string, at: number): Read {
  const c = label[at] as string
  if (c === "'") return readSingle(label, at)
  if (c === '"') return readDouble(label, at)
  if (c === '\\') {
    const next = label[at + 1]
    if (next === undefined) throw refused(label, at, 'a \\ at the end quotes nothing')
    return { pieces: [{ text: next, isVariable: false, isQuoted: true }], next: at + 2 }
  }
  const why = operators[c]
  if (why) throw refused(label, at, why)
  if (c === '$') return readVariable(label, at, false)
  const end = label.slice(at).search(/[\s'"\\$`;|&<>()]/)
  const next = end < 0 ? label.length : at + end
  return { pieces: [{ text: label.slice(at, next), isVariable: false, isQuoted: false }], next }
}

const substitution = 'a ` asks a shell to execute a command'
const operators: Readonly<Record<string, string>> = {
  ';': 'a ; separates two commands',
  '|': 'a | connects two commands',
  '&': 'an & separates two commands or sends one to the background',
  '<': 'a < redirects input',
  '>': 'a > redirects output',
  '(': 'a bracket groups commands',
  ')': 'a bracket groups commands',
  '`': substitution,
}

function readSingle(label: string, at: number): Read {
  const end = label.indexOf("'", at + 1)
  if (end < 0) throw unclosed(label, at, "'")
  return { pieces: [{ text: label.slice(at + 1, end), isVariable: false, isQuoted: true }], next: end + 1 }
}

function readDouble(label: string, start: number): Read {
  const pieces: Piece[] = [{ text: '', isVariable: false, isQuoted: true }]
  let at = start + 1
  while (at < label.length) {
    const c = label[at] as string
    if (c === '"') return { pieces, next: at + 1 }
    if (c === '`') throw refused(label, at, substitution)
    if (c === '$') {
      const read = readVariable(label, at, true)
      pieces.push(...read.pieces)
      at = read.next
    } else if (c === '\\' && '"\\$`\n'.includes(label[at + 1] ?? ' ')) {
      pieces.push({ text: label[at + 1] as string, isVariable: false, isQuoted: true })
      at += 2
    } else {
      pieces.push({ text: c, isVariable: false, isQuoted: true })
      at++
    }
  }
  throw unclosed(label, start, '"')
}

function readVariable(label: string, at: number, isQuoted: boolean): Read {
  const found = expansionAt(label, at, isQuoted)
  if (found.kind === 'refused') throw refused(label, at, found.reason)
  const { text, next, kind } = found
  return { pieces: [{ text, isVariable: kind === 'variable', isQuoted }], next }
}

function unclosed(label: string, at: number, quote: string): BuilderError {
  return invalid(`a ${quote} is not closed: ${around(label, at)}`, 'close the quote')
}

function refused(label: string, at: number, why: string): BuilderError {
  const hint = "quote it, or name a shell: sh -c '…'"
  return invalid(`no shell reads a label, and ${why}: ${around(label, at)}`, hint)
}

/** The place in the text, as a reader can find it. */
function around(label: string, at: number): string {
  const from = Math.max(0, at - 20)
  const text = label.slice(from, at + 21)
  const [before, after] = [from > 0 ? '…' : '', at + 21 < label.length ? '…' : '']
  return `character ${at + 1}, ${before}${visible(text)}${after}`
}

function invalid(reason: string, hint: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read label', object: '', reason, hint })
}
