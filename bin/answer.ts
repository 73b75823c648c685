import { asBuilderError, BuilderError } from '../sdk/errors.js'
import { choose, quoted } from './choose.js'
import { complain } from './complain.js'
import { type Parsed, parseWords } from './parse.js'
import type { LoadableVerb, VerbModule, VerbTable } from './verb.js'
import type { Answer } from './write-out.js'

/** How the answer is to look, and what stops it. */
export interface Setting {
  readonly signal?: AbortSignal
  /** Width of the terminal, in columns; 80 when there is none. */
  readonly columns?: number
  /** True when headings may be set in bold. */
  readonly isBold?: boolean
}

/**
 * Carries out a command line. Never throws: a failure is an answer too. Only the verb that was named is loaded.
 *
 * @example
 * ```ts
 * import { answer } from '../bin/answer.js'
 * import { table } from '../bin/verbs.gen.js'
 * const { stdout, exitCode } = await answer(['version'], table)
 * ```
 */
export async function answer(argv: readonly string[], table: VerbTable, setting: Setting = {}): Promise<Answer> {
  try {
    const choice = choose(argv, table)
    if (choice.kind === 'verb') return await answerVerb(choice.verb, choice.words, table, setting)
    if (choice.kind === 'version') return said(`builder ${table.version}\n`)
    if (choice.kind === 'completion') return said(await completionFor(choice.words))
    const { helpOn } = await import('./help.js')
    return said(helpOn(choice.topic, table, setting))
  } catch (error) {
    return complain(error, {})
  }
}

function said(stdout: string): Answer {
  return { stdout, stderr: '', exitCode: 0 }
}

async function completionFor(words: readonly string[]): Promise<string> {
  const { completionScript } = await import('./completion.js')
  return completionScript(words)
}

async function answerVerb(verb: LoadableVerb, words: readonly string[], table: VerbTable, setting: Setting) {
  let parsed: Parsed | undefined
  try {
    parsed = parseWords(verb, table.globals, words)
    if (parsed.wantsHelp) {
      const { helpOn } = await import('./help.js')
      return said(helpOn(verb.name.split(' '), table, setting))
    }
    return await perform(verb, parsed, setting)
  } catch (error) {
    const logLevel = parsed?.options.logLevel
    const isAborted = setting.signal?.aborted ?? false
    return complain(isSystemError(error) ? asBuilderError(error, verb.name) : error, {
      verb: verb.name,
      isDebug: logLevel === 'debug' || logLevel === 'trace',
      isAborted,
    })
  }
}

async function perform(verb: LoadableVerb, parsed: Parsed, { signal }: Setting): Promise<Answer> {
  const module = await verb.load()
  const options = signal ? { ...parsed.options, signal } : parsed.options
  const result = await callable(module, verb.call)(...parsed.positionals, options)
  const text = verb.present ? await callable(module, 'present')(result, options, ...parsed.positionals) : result
  const exitCode = (result as { exitCode?: unknown } | undefined)?.exitCode
  const isAborted = (signal?.aborted ?? false) && exitCode === undefined
  return { stdout: lineOf(text), stderr: '', exitCode: typeof exitCode === 'number' ? exitCode : 0, isAborted }
}

function callable(module: VerbModule, name: string): (...args: unknown[]) => unknown {
  const found = module[name]
  if (typeof found !== 'function') throw new TypeError(`${quoted(name)} is not exported; run npm run generate`)
  return found as (...args: unknown[]) => unknown
}

/** A string is a line, bytes are text that gets no newline, an object is JSON, nothing is nothing. */
function lineOf(value: unknown): string {
  if (value === undefined || value === null || value === '') return ''
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  return text.endsWith('\n') ? text : `${text}\n`
}

/** What the operating system refused, and nobody gave a sentence to. */
function isSystemError(error: unknown): boolean {
  if (error instanceof BuilderError || !(error instanceof Error)) return false
  return error.name === 'AbortError' || typeof (error as NodeJS.ErrnoException).syscall === 'string'
}
