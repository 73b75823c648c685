import type { BuilderError } from '../errors.js'
import { errorAt } from './point-at.js'
import type { SourceText } from './source-text.js'
import type { Position } from './syntax.js'

/** An instruction on one line, its continuation lines joined, that still knows where each character was written. */
export class LogicalLine {
  readonly text: string
  /** The line (from 1) of the source text on which it begins. */
  readonly first: number

  constructor(
    readonly source: SourceText,
    readonly escapeChar: '\\' | '`',
    readonly pieces: readonly Piece[],
    /** What the comments right in front of it say. */
    readonly comments: readonly string[],
    /** The first empty line (from 1) between its continuation lines. */
    readonly emptyLine?: number,
  ) {
    this.text = pieces.map(({ text }) => text).join('')
    this.first = pieces[0]?.line ?? 1
  }

  /** Where the whole of it was written. */
  get position(): Position {
    const position = this.source.positionOf(this.first)
    return { ...position, text: position.text.replace(/^\uFEFF/, '') }
  }

  /** Where a character of `text` was written. */
  positionAt(offset: number): Position {
    let start = 0
    for (const [n, piece] of this.pieces.entries()) {
      const isLast = n === this.pieces.length - 1
      if (offset < start + piece.text.length || isLast) return this.#inPiece(piece, offset - start)
      start += piece.text.length
    }
    return this.position
  }

  /** The error for what stands at a place of `text`. Where a macro changed the line, the same word is looked for in it. */
  wrong(offset: number, length: number, reason: string, hint?: string): BuilderError {
    const position = this.positionAt(offset)
    const word = this.text.slice(offset, offset + length)
    const at = position.column === undefined ? onlyPlaceOf(word, position.text) : position.column - 1
    const place = at === undefined ? position : { ...position, column: at + 1 }
    return errorAt(place, { reason, length, ...(hint === undefined ? {} : { hint }) })
  }

  #inPiece({ line, text, skipped }: Piece, offset: number): Position {
    const position = this.source.positionOf(line, skipped + Math.min(offset, text.length) + 1)
    return { ...position, text: position.text.replace(/^\uFEFF/, '') }
  }
}

function onlyPlaceOf(word: string, text: string): number | undefined {
  const at = text.indexOf(word)
  return word === '' || at < 0 || text.includes(word, at + 1) ? undefined : at
}

/** What one line of the source text gives to a logical line. */
export interface Piece {
  readonly line: number
  readonly text: string
  /** How many characters of the line stand in front of `text`. */
  readonly skipped: number
}

/** Gives the logical lines of a file one after the other, and the lines of heredocs in between. */
export class LineReader {
  #next: number
  #comments: string[] = []

  constructor(
    readonly source: SourceText,
    readonly lines: readonly string[],
    readonly escapeChar: '\\' | '`',
    start: number,
  ) {
    this.#next = start
  }

  /** The next instruction; undefined at the end. */
  instruction(): LogicalLine | undefined {
    while (this.#next < this.lines.length) {
      const line = this.#next++
      const written = withoutReturn(this.lines[line] ?? '')
      const text = written.trimStart()
      if (text.startsWith('#')) this.#comment(text)
      else if (text !== '') return this.#continued({ line: line + 1, text, skipped: written.length - text.length })
    }
    return undefined
  }

  /** The next line as it is, with its end, for the body of a heredoc; undefined at the end. */
  body(): string | undefined {
    const line = this.lines[this.#next]
    const isLast = this.#next === this.lines.length - 1
    if (line === undefined || (isLast && line === '')) return undefined
    this.#next++
    return isLast ? line : `${line}\n`
  }

  #comment(text: string): void {
    const said = text.slice(1).trim()
    if (said === '') this.#comments = []
    else this.#comments.push(said)
  }

  /** Comments between continuation lines vanish, and so do empty lines. Source: Dockerfile reference, "Format". */
  #continued(first: Piece): LogicalLine {
    const pieces: Piece[] = []
    let emptyLine: number | undefined
    let goesOn = this.#take(pieces, first)
    while (goesOn && this.#next < this.lines.length) {
      const line = ++this.#next
      const text = withoutReturn(this.lines[line - 1] ?? '')
      const bare = text.trimStart()
      if (bare.startsWith('#')) continue
      if (bare !== '') goesOn = this.#take(pieces, { line, text, skipped: 0 })
      else if (line < this.lines.length) emptyLine ??= line
    }
    const comments = this.#comments
    this.#comments = []
    return new LogicalLine(this.source, this.escapeChar, pieces, comments, emptyLine)
  }

  /** Takes a line without the escape character at its end, and says whether there was one. An escaped one does not count. */
  #take(pieces: Piece[], piece: Piece): boolean {
    const text = withoutBlanks(piece.text)
    const goesOn = text.endsWith(this.escapeChar) && text.at(-2) !== this.escapeChar
    pieces.push(goesOn ? { ...piece, text: text.slice(0, -1) } : piece)
    return goesOn
  }
}

function withoutReturn(line: string): string {
  let end = line.length
  while (line[end - 1] === '\r') end--
  return line.slice(0, end)
}

function withoutBlanks(text: string): string {
  let end = text.length
  while (text[end - 1] === ' ' || text[end - 1] === '\t') end--
  return text.slice(0, end)
}
