import type { BuilderError } from '../errors.js'
import type { HeredocMark } from './heredoc.js'
import type { LogicalLine } from './logical-line.js'
import type { Heredoc, Position } from './syntax.js'
import type { Word } from './words.js'

/** An instruction whose name and flags are read and whose arguments are not. */
export interface WrittenInstruction {
  readonly line: LogicalLine
  /** In upper case. */
  readonly name: string
  /** Where its name stands in the line, and how long it is. */
  readonly at: number
  readonly length: number
  readonly flags: readonly Word[]
  /** Where its arguments begin. */
  readonly rest: number
  readonly marks: readonly HeredocMark[]
  readonly heredocs: readonly Heredoc[]
}

/** What every parsed instruction says of where it was written. */
export function writtenAt({ line, at }: Pick<WrittenInstruction, 'line' | 'at'>): {
  readonly position: Position
  readonly original: string
  readonly comments?: readonly string[]
} {
  return {
    position: line.position,
    original: line.text.slice(at).trim(),
    ...(line.comments.length > 0 ? { comments: line.comments } : {}),
  }
}

/** The error for an instruction without arguments. */
export function nothingGiven(
  { line, name, at, length }: Pick<WrittenInstruction, 'line' | 'name' | 'at' | 'length'>,
  wanted: string,
  hint?: string,
): BuilderError {
  return line.wrong(at, length, `${name} needs ${wanted}`, hint)
}
