import { nearestWord } from '../image/near-word.js'
import { jsonWords } from './command-line.js'
import { readDirectives } from './directives.js'
import { heredocMarks, readBodies } from './heredoc.js'
import { instructionNames, isInstruction, onbuild, type ParsedInstruction, parsers } from './instructions.js'
import { LineReader, type LogicalLine } from './logical-line.js'
import { errorAt } from './point-at.js'
import { plainSource, type SourceText } from './source-text.js'
import type { ArgInstruction, Containerfile, Instruction, Stage, Warning } from './syntax.js'
import { readFlags } from './words.js'

/**
 * Parses a Containerfile; nothing in it is expanded. Throws `INVALID` with file, line, the line itself and a caret for what is
 * not the language of the current Dockerfile frontend.
 *
 * @example
 * ```ts
 * import { parseContainerfile } from './parse.js'
 * const { stages } = parseContainerfile('FROM debian:12 AS base\nRUN apt-get update\n')
 * console.log(stages[0]?.name, stages[0]?.instructions.length)
 * ```
 */
export function parseContainerfile(source: SourceText | string, file = 'Containerfile'): Containerfile {
  const from = typeof source === 'string' ? plainSource(source, file) : source
  const lines = from.text.replace(/^\uFEFF/, '').split('\n')
  const { lines: start, ...directives } = readDirectives(from, lines)
  const parts = new Parts(from)
  const reader = new LineReader(from, lines, directives.escape, start)
  for (let line = reader.instruction(); line; line = reader.instruction())
    parts.take(instructionOf(line, 0, reader), line)
  return { directives, ...parts.finish() }
}

/**
 * Parses the trigger that an `ONBUILD` of a base image left behind (one entry of its config, with the bodies of its heredocs
 * below it). Throws `INVALID` as the parser does; `image` names the base in the message.
 */
export function parseTrigger(trigger: string, image: string): Instruction {
  const source = plainSource(trigger, `ONBUILD of ${image}`)
  const reader = new LineReader(source, trigger.split('\n'), '\\', 0)
  const line = reader.instruction()
  const parsed = line && instructionOf(line, 0, reader)
  if (!parsed) throw errorAt(source.positionOf(1), { reason: 'the trigger is empty' })
  if (parsed.instruction === 'FROM' || parsed.instruction === 'ONBUILD' || parsed.instruction === 'MAINTAINER')
    throw errorAt(source.positionOf(1), { reason: `${parsed.instruction} cannot be a trigger` })
  return parsed
}

/** Collects what was parsed into the arguments on top and the stages. */
class Parts {
  readonly #args: ArgInstruction[] = []
  readonly #stages: (Stage & { instructions: Instruction[] })[] = []
  readonly #warnings: Warning[]

  constructor(readonly source: SourceText) {
    this.#warnings = [...source.warnings]
  }

  take(parsed: ParsedInstruction, line: LogicalLine): void {
    const stage = this.#stages.at(-1)
    if (line.emptyLine !== undefined) this.#warnings.push(emptyContinuation(this.source, line.emptyLine))
    if (parsed.instruction === 'FROM') {
      const name = parsed.as?.toLowerCase()
      const index = this.#stages.length
      this.#stages.push({ index, ...(name === undefined ? {} : { name }), from: parsed, instructions: [] })
    } else if (stage) stage.instructions.push(parsed)
    else if (parsed.instruction === 'ARG') this.#args.push(parsed)
    else throw line.wrong(0, wordLength(line.text), `${parsed.instruction} stands in front of the first FROM`, onlyArg)
  }

  finish(): Omit<Containerfile, 'directives'> {
    if (this.#stages.length > 0) return { args: this.#args, stages: this.#stages, warnings: this.#warnings }
    const reason = this.#args.length > 0 ? 'there is no FROM' : 'there is no instruction in it'
    const { file } = this.source.positionOf(1)
    throw errorAt({ file, line: 1, text: this.source.positionOf(1).text }, { reason, hint: 'begin with FROM IMAGE' })
  }
}

const onlyArg = 'only ARG can; begin the stage with FROM IMAGE'

/** Parses the instruction that begins at an offset of a line, and reads its heredocs from the lines below. */
function instructionOf(line: LogicalLine, from: number, reader: LineReader): ParsedInstruction {
  const { text } = line
  const length = wordLength(text.slice(from))
  const name = text.slice(from, from + length).toUpperCase()
  const parse = isInstruction(name) ? parsers[name] : undefined
  if (!parse)
    throw line.wrong(from, length, `${shown(text, from, length)} is not an instruction`, hintFor(line, from, name))
  const { flags, rest } = readFlags(text, from + length, line.escapeChar)
  const written = { line, name, at: from, length, flags, rest }
  if (name === 'ONBUILD')
    return onbuild(written, rest < text.trimEnd().length ? instructionOf(line, rest, reader) : undefined)
  const marks =
    takesHeredocs.has(name) && text.includes('<<', rest) && !jsonWords(line, rest) ? heredocMarks(text, rest) : []
  return parse({ ...written, marks, heredocs: readBodies(reader, line, marks) })
}

const takesHeredocs = new Set(['RUN', 'COPY', 'ADD'])

function wordLength(text: string): number {
  return /^\S*/.exec(text)?.[0].length ?? 0
}

/** A word of the file in a sentence: not too long, and nothing in it that cannot be seen. */
function shown(text: string, from: number, length: number): string {
  return text.slice(from, from + Math.min(length, 40)).replace(/\p{Cf}/gu, '\uFFFD') + (length > 40 ? '…' : '')
}

/** The word that was meant, or the `\` that is missing at the end of the line before. */
function hintFor(line: LogicalLine, from: number, name: string): string {
  const near = nearestWord(name, instructionNames)
  if (near !== undefined) return `did you mean ${near}?`
  const before = line.first > 1 && from === 0 ? line.source.positionOf(line.first - 1).text.trimEnd() : ''
  if (/(&&|\|\|?|;|,|\{|\()$/.test(before) || /^\s+\S/.test(line.position.text))
    return `end the line before it with ${line.escapeChar} if it belongs to that`
  return `instructions are ${instructionNames.join(', ')}`
}

function emptyContinuation(source: SourceText, line: number): Warning {
  return { rule: 'NoEmptyContinuation', message: 'Empty continuation line', position: source.positionOf(line) }
}
