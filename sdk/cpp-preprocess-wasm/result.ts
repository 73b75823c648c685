import type { DiagnosticCode } from './messages.js'

/** A line of a file, and the `#include` lines that led to it, the nearest first. */
export interface Origin {
  readonly file: string
  /** From 1; 0 for what `defines` says. */
  readonly line: number
  readonly included: readonly Place[]
}

/** A line of a file, from 1. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** Something that is wrong, or that should be said. */
export interface Diagnostic extends Origin {
  readonly severity: 'error' | 'warning'
  readonly code: DiagnosticCode
  /** A sentence without the place. */
  readonly message: string
  /** The line itself. */
  readonly text: string
  /** A second place: where the conditional began, or the macro was defined. */
  readonly related?: Place
}

/** Where the lines of the text come from. */
export interface LineMap {
  /** How many lines the text has. */
  readonly lines: number
  /** Where a line of the text, from 1, was written. One behind the last gives the last. */
  originOf(line: number): Origin
  /** From each line of the text that begins a part on, lines follow each other in the same file. */
  readonly parts: readonly (Origin & { readonly first: number })[]
}

/** What {@link preprocess} gives. */
export interface Preprocessed {
  readonly text: string
  readonly map: LineMap
  /** The files that were read, in the order of their first reading; the one given comes first. */
  readonly files: readonly string[]
  /** In the order in which they were found. An `error` means that the text is not to be used. */
  readonly diagnostics: readonly Diagnostic[]
}

/** Lines of the text, frames and lines of files, as the module writes them down. */
export function lineMap(
  records: Uint32Array,
  lines: number,
  originOf: (frame: number, line: number) => Origin,
): LineMap {
  const count = records.length / 3
  const find = (line: number) => {
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((records[middle * 3] ?? 0) <= line) low = middle
      else high = middle - 1
    }
    return low * 3
  }
  return {
    lines,
    originOf: (line) => {
      const wanted = Math.max(1, Math.min(line, lines))
      const at = find(wanted)
      const [first = 1, frame = 0, start = 1] = records.subarray(at, at + 3)
      return originOf(frame, start + wanted - first)
    },
    get parts() {
      return Array.from({ length: count }, (_, i) => {
        const [first = 1, frame = 0, line = 1] = records.subarray(i * 3, i * 3 + 3)
        return { first, ...originOf(frame, line) }
      })
    },
  }
}
