import { BuilderError } from '../sdk/errors.js'
import { quoted } from './choose.js'
import type { Positional, Verb } from './verb.js'
import { plain } from './wrap.js'

type Assigned = string | readonly string[] | undefined

/**
 * Gives each positional its words: those before a list from the front, those after it from the back, the list what is
 * between. Throws `USAGE` that names the missing positional or the word too many.
 */
export function assignOperands(verb: Verb, operands: readonly string[]): Assigned[] {
  const { positionals } = verb
  const list = positionals.findIndex(({ many }) => many)
  const words = verb.passthrough && operands[list] === '--' ? operands.toSpliced(list, 1) : [...operands]
  const missing = positionals.filter(({ optional }) => !optional)[words.length]
  if (missing) throw usage(verb, missing.name, `it is missing (${plain(missing.text).replace(/\.$/, '')})`)
  if (list < 0) return assignSingles(verb, positionals, words)
  const before = positionals.slice(0, list)
  const after = fitting(
    positionals.slice(list + 1),
    words.length - before.length - (positionals[list]?.optional ? 0 : 1),
  )
  const rest = words.slice(before.length, words.length - after)
  const behind = positionals.slice(list + 1).map((_, i) => (i < after ? words[words.length - after + i] : undefined))
  return [...before.map((_, i) => words[i]), rest, ...behind]
}

function assignSingles(verb: Verb, positionals: readonly Positional[], words: readonly string[]): Assigned[] {
  const extra = words[positionals.length]
  if (extra === undefined) return positionals.map((_, i) => words[i])
  const most = positionals.length
  const reason = most === 0 ? 'it takes no arguments' : `it takes at most ${most} argument${most > 1 ? 's' : ''}`
  throw usage(verb, quoted(extra), `one argument too many; ${reason}`)
}

/** How many of the positionals after a list have a word: the required ones, and the optional ones as far as words go. */
function fitting(after: readonly Positional[], words: number): number {
  return Math.max(0, Math.min(after.length, words))
}

function usage(verb: Verb, object: string, reason: string): BuilderError {
  return new BuilderError('USAGE', { operation: verb.name, object, reason })
}
