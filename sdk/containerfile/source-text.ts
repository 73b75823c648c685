import type { Position, Warning } from './syntax.js'

/** The text that is parsed, and where each of its lines was written: a preprocessor may stand between the two. */
export interface SourceText {
  readonly text: string
  /** Where a line of `text` (from 1) was written. */
  readonly positionOf: (line: number) => Position
  /** The files that were read, the Containerfile first. */
  readonly files: readonly string[]
  /** What was said on the way, as `#warning`. */
  readonly warnings: readonly Warning[]
}

/** The text of one file as it is, without a preprocessor. */
export function sourceText(text: string, file = 'Containerfile'): SourceText {
  let lines: readonly string[] | undefined
  return {
    text,
    positionOf: (line) => {
      lines ??= text.replace(/^\uFEFF/, '').split('\n')
      return { file, line, text: (lines[line - 1] ?? '').replace(/\r+$/, '') }
    },
    files: [file],
    warnings: [],
  }
}
