import { BuilderError, type ErrorCode } from '../errors.js'
import type { Position } from './syntax.js'

/** What an error at a place in a file says beside the place. */
export interface ErrorAt {
  readonly operation?: string
  readonly reason: string
  readonly hint?: string
  /** How many characters are meant, from the position's column on; 1 unless given. */
  readonly length?: number
  readonly cause?: unknown
}

/**
 * An error about a place in a file: `operation file:line:column: reason; hint`, then the line itself with a caret, then the
 * `#include` lines that led there. Its code is `INVALID` unless another is given.
 */
export function errorAt(position: Position, what: ErrorAt, code: ErrorCode = 'INVALID'): BuilderError {
  const excerpt = `\n${pointAt(position, what.length)}`
  return new BuilderError(code, {
    operation: what.operation ?? 'parse',
    object: placeOf(position),
    ...(what.hint === undefined
      ? { reason: what.reason + excerpt }
      : { reason: what.reason, hint: what.hint + excerpt }),
    ...(what.cause === undefined ? {} : { cause: what.cause }),
  })
}

/** A position in one word, as compilers write it: `Containerfile:3:5`. */
export function placeOf({ file, line, column }: Position): string {
  return column === undefined ? `${file}:${line}` : `${file}:${line}:${column}`
}

/**
 * The line of a position with carets below what is meant (none when the whole line is), and the `#include` lines that led to it:
 *
 *     3 | CPOY a /b
 *       | ^^^^
 *     included from Containerfile.in:2
 */
export function pointAt(position: Position, length = 1): string {
  const { line, column, included } = position
  const gutter = ' '.repeat(String(line).length)
  const { before, meant, after } = cutAround(position.text, column, length)
  const shown = `  ${line} | ${before}${meant}${after}`.trimEnd()
  const carets = column === undefined ? [] : [`  ${gutter} | ${blank(before)}${'^'.repeat(Math.max(1, width(meant)))}`]
  const chain = (included ?? []).map((from) => `  included from ${from.file}:${from.line}`)
  return [shown, ...carets, ...short(chain)].join('\n')
}

/** So much of a line is shown: a line of a megabyte must not fill a terminal. */
const most = 160

function cutAround(text: string, column: number | undefined, length: number) {
  const at = Math.min(Math.max((column ?? 1) - 1, 0), text.length)
  const from = at > most / 2 ? at - most / 2 : 0
  const end = Math.min(at + length, from + most, text.length)
  return {
    before: visible((from > 0 ? '…' : '') + text.slice(from, at)),
    meant: visible(column === undefined ? '' : text.slice(at, end)),
    after: visible(text.slice(column === undefined ? at : end, from + most)) + (text.length > from + most ? '…' : ''),
  }
}

/** Nothing in a file may write to the reader's terminal, turn its text around or move the caret. */
function visible(text: string): string {
  return text.replace(/\t/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD')
}

function blank(text: string): string {
  return ' '.repeat(width(text))
}

/** How many cells a terminal gives to a text: two to what is East Asian, none to marks that combine. */
function width(text: string): number {
  return [...text].reduce((sum, char) => sum + (/\p{Mn}/u.test(char) ? 0 : isWide(char) ? 2 : 1), 0)
}

function isWide(char: string): boolean {
  return /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}]/u.test(
    char,
  )
}

/** A chain of a thousand includes is told by its two ends. */
function short(chain: readonly string[]): readonly string[] {
  if (chain.length <= 12) return chain
  return [...chain.slice(0, 6), `  … ${chain.length - 10} more …`, ...chain.slice(-4)]
}
