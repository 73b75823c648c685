import { BuilderError } from '../sdk/errors.js'
import { nearestWords } from '../sdk/image/near-word.js'
import { didYouMean } from './choose.js'
import type { Flag, Verb } from './verb.js'

/** What an option of a verb can hold when it comes from the command line. */
export type Value = boolean | string | number | readonly string[]

/**
 * The value that a flag's text stands for; `before` is what the same flag gave earlier on the line: a list grows, of
 * anything else the last one counts. Throws `USAGE` for a value of the wrong form.
 */
export function readValue(verb: Verb, flag: Flag, text: string | undefined, before: Value | undefined): Value {
  if (flag.kind === 'boolean') return text !== 'false'
  const value = text ?? ''
  if (flag.kind === 'number') return numberOf(verb, flag, value)
  if (flag.kind === 'optional-value' && (value === 'true' || value === 'false')) return value === 'true'
  if (flag.choices && !flag.choices.includes(value)) throw notAChoice(verb, flag, value)
  if (flag.kind !== 'list') return value
  return [...(Array.isArray(before) ? before : []), value]
}

function numberOf(verb: Verb, flag: Flag, text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number)) return number
  throw wrong(verb, flag, `${JSON.stringify(text)} is not a number`)
}

function notAChoice(verb: Verb, flag: Flag, text: string): BuilderError {
  const choices = flag.choices ?? []
  const near = nearestWords(text, choices)
  const hint = near.length > 0 ? didYouMean(near) : undefined
  return wrong(verb, flag, `${JSON.stringify(text)} is not one of ${choices.join(', ')}`, hint)
}

function wrong(verb: Verb, flag: Flag, reason: string, hint?: string): BuilderError {
  const parts = { operation: verb.name, object: `--${flag.name}`, reason }
  return new BuilderError('USAGE', hint ? { ...parts, hint } : parts)
}
