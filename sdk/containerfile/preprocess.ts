import { type Diagnostic, type LineMap, type Preprocessed, preprocess } from '../cpp-preprocess-wasm/index.js'
import { BuilderError } from '../errors.js'
import { type ConfinedIncludes, confinedIncludes } from './include.js'
import { errorAt } from './point-at.js'
import { linesOf, type SourceText } from './source-text.js'
import type { Position, Warning } from './syntax.js'

/** Options of {@link preprocessContainerfile}. */
export interface PreprocessContainerfileOptions {
  /** The Containerfile's path as the user gave it; its folder is where its includes are looked for first. */
  readonly file: string
  /** Where the file is, when it is not at `file`: that is only its name then. */
  readonly path?: string
  /** True when `file` only names something that is no file, such as standard input: then it has no folder. */
  readonly isNoFile?: boolean
  /** The folder of the build context; nothing when the build has none. */
  readonly context?: string
  /** `-I`: folders for `<name>`, and for `"name"` after the including file's folder and the context. */
  readonly includePaths?: readonly string[]
  /** `-D`: `NAME`, `NAME=text`, `NAME(a, b)=text`. */
  readonly defines?: readonly string[]
  /** `-U`, after the definitions. */
  readonly undefines?: readonly string[]
  readonly mode?: PreprocessMode
  /** Only with `traditional`: lines `# 1 "file"`. */
  readonly lineMarkers?: boolean
}

/** `containerfile` knows what it reads; `traditional` is what `cpp -E -traditional -undef` does. */
export type PreprocessMode = 'containerfile' | 'traditional'

/**
 * Preprocesses the text of a Containerfile, and knows of every line that comes out where it was written. Includes come from the
 * context and from the include paths, never from anywhere else. Throws at the place of the mistake: `INVALID` for a directive
 * or a macro that is wrong and for `#error`, `NOT_FOUND` for an include that is not there, `UNSAFE` for one that leaves its folders.
 */
export function preprocessContainerfile(text: string, options: PreprocessContainerfileOptions): PreprocessedText {
  const includes = confinedIncludes(options)
  const { mode = 'containerfile', defines = [], undefines = [], lineMarkers = false } = options
  const result = preprocess(text, {
    file: options.file,
    include: includes.find,
    mode,
    defines,
    undefines,
    lineMarkers,
  })
  const errors = result.diagnostics.filter(({ severity }) => severity === 'error')
  if (errors[0]) throw wrong(errors[0], errors.length - 1, includes)
  return new PreprocessedText(result, text, options.file, includes)
}

/** What {@link preprocessContainerfile} gives. */
export class PreprocessedText implements SourceText {
  readonly text: string
  readonly files: readonly string[]
  readonly warnings: readonly Warning[]
  /** Where the lines come from, without their texts. */
  readonly map: LineMap
  readonly #made: readonly string[]
  readonly #written = new Map<string, readonly string[]>()

  constructor(
    { text, files, map, diagnostics }: Preprocessed,
    source: string,
    file: string,
    includes: ConfinedIncludes,
  ) {
    this.text = text
    this.files = files
    this.map = map
    this.#made = linesOf(text)
    this.#written.set(file, linesOf(source.replace(/^\uFEFF/, '')))
    for (const name of files.slice(1)) this.#written.set(name, linesOf(includes.textOf(name).replace(/^\uFEFF/, '')))
    this.warnings = diagnostics.map((said) => ({
      rule: 'Preprocessor',
      message: said.message,
      position: positionOf(said),
    }))
  }

  positionOf(line: number, column?: number): Position {
    const { file, line: written, included } = this.map.originOf(line)
    const text = this.#written.get(file)?.[written - 1] ?? ''
    // A column of a line that a macro made says nothing about the line that the author wrote.
    const isUnchanged = text === this.#made[Math.max(1, Math.min(line, this.#made.length)) - 1]
    return {
      file,
      line: written,
      text,
      ...(column !== undefined && isUnchanged && { column }),
      ...(included.length > 0 && { included }),
    }
  }
}

function positionOf({ file, line, text, included }: Diagnostic): Position {
  return { file, line, text, ...(included.length > 0 && { included }) }
}

function wrong(said: Diagnostic, others: number, includes: ConfinedIncludes): BuilderError {
  const refusal = said.code === 'include-missing' ? includes.refusal() : undefined
  if (refusal) return errorAt(positionOf(said), { operation: 'preprocess', ...refusal }, refusal.code)
  const hint = hintFor(said, includes)
  const more = others > 0 ? ` (and ${others} more ${others === 1 ? 'error' : 'errors'})` : ''
  const what = { operation: 'preprocess', reason: said.message + more, ...(hint !== undefined && { hint }) }
  const code = said.code === 'include-missing' ? 'NOT_FOUND' : 'INVALID'
  if (said.line > 0) return errorAt(positionOf(said), what, code)
  return new BuilderError(code, { ...what, object: '-D' })
}

function hintFor({ code, related }: Diagnostic, includes: ConfinedIncludes): string | undefined {
  if (code === 'include-missing') return includes.lookedIn()
  if (related && code === 'after-else') return `the conditional began at ${related.file}:${related.line}`
  if (related && hints[code] === undefined) return `it was defined at ${related.file}:${related.line}`
  return hints[code]
}

const hints: Readonly<Partial<Record<Diagnostic['code'], string>>> = {
  'no-endif': 'end it with #endif in the same file; a comment that begins with such a word needs a space: # if',
  'no-if': 'a comment that begins with such a word needs a space: # else',
  'include-cycle': 'begin the files that include each other with #pragma once',
  'no-comment-end': 'end it with */, or begin comments with #',
  'no-heredoc-end': 'end it with a line that says only this name',
  recursion: 'give the macro another name than the words that it stands for',
  'no-operand': 'write #if with an expression of integers; a comment needs a space: # if',
  'no-operator': 'write #if with an expression of integers; a comment needs a space: # if',
}
