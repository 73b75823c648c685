import type { Position, Warning } from './syntax.js'

/** A Containerfile's text with the place where each of its lines was written. What the parser reads. */
export interface SourceText {
  /** The text to parse: as it is in the file, or as the preprocessor left it. */
  readonly text: string
  /**
   * Where the author wrote a line of `text`. `line` is from 1; one behind the last gives the last. With `column` (from 1, in
   * characters of that line) the position has one too, unless a macro changed the line: then a column would mislead.
   */
  positionOf(line: number, column?: number): Position
  /** Every file that was read, in that order, the Containerfile first. */
  readonly files: readonly string[]
  /** What `#warning` said, and what else the preprocessor found. */
  readonly warnings: readonly Warning[]
}

/** A file that needs no preprocessing. `file` is its name as errors are to show it. */
export function plainSource(text: string, file: string): SourceText {
  let lines: readonly string[] | undefined
  return {
    text,
    positionOf: (line, column) => {
      lines ??= linesOf(text)
      const last = Math.max(1, Math.min(line, lines.length))
      return { file, line: last, text: lines[last - 1] ?? '', ...(column !== undefined && { column }) }
    },
    files: [file],
    warnings: [],
  }
}

/** Lines without their ends; a newline at the very end begins no line. */
export function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/)
  return lines.length > 1 && lines.at(-1) === '' ? lines.slice(0, -1) : lines
}
