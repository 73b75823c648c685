import { BuilderError } from '../sdk/errors.js'
import { nearestWords } from '../sdk/image/near-word.js'
import { type Flag, type LoadableVerb, takesValue, type VerbTable } from './verb.js'

/** What a command line asks for. */
export type Choice =
  /** `words` are the verb's flags and arguments, the global flags that stood before the verb first. */
  | { readonly kind: 'verb'; readonly verb: LoadableVerb; readonly words: readonly string[] }
  | { readonly kind: 'help'; readonly topic: readonly string[] }
  | { readonly kind: 'completion'; readonly words: readonly string[] }
  | { readonly kind: 'version' }

/**
 * Finds the verb in a command line: global flags, then one or two words. Nothing of the verb is looked at, so that only
 * its own flags need a parser. Throws `USAGE` for a flag or a verb that does not exist.
 */
export function choose(argv: readonly string[], table: VerbTable): Choice {
  const start = endOfGlobals(argv, table)
  const before = argv.slice(0, start)
  if (before.includes('--help') || before.includes('-h')) return { kind: 'help', topic: [] }
  if (before.includes('--version') || before.includes('-v')) return { kind: 'version' }
  const [word, next] = argv.slice(start)
  if (word === undefined) return { kind: 'help', topic: [] }
  if (word === 'help') return { kind: 'help', topic: wordsOf(argv.slice(start + 1)) }
  if (word === 'completion') return { kind: 'completion', words: argv.slice(start + 1) }
  const member = next === undefined ? undefined : findVerb(table, `${word} ${next}`)
  if (member) return { kind: 'verb', verb: member, words: [...before, ...argv.slice(start + 2)] }
  const verb = findVerb(table, word)
  if (verb) return { kind: 'verb', verb, words: [...before, ...argv.slice(start + 1)] }
  if (!isGroup(table, word)) throw unknownVerb(word, table)
  if (next === undefined || next === '--help' || next === '-h') return { kind: 'help', topic: [word] }
  throw unknownVerb(`${word} ${next}`, table)
}

/** The verb of that name or alias. */
export function findVerb(table: VerbTable, name: string): LoadableVerb | undefined {
  return table.verbs.find((verb) => verb.name === name || verb.aliases.includes(name))
}

/** True for the first word of verbs with two: `manifest`. */
export function isGroup(table: VerbTable, word: string): boolean {
  return table.verbs.some(({ name }) => name.startsWith(`${word} `))
}

/** A verb that does not exist, with those that may have been meant. */
export function unknownVerb(name: string, table: VerbTable): BuilderError {
  const known = table.verbs.filter(({ hidden }) => !hidden).flatMap((verb) => [verb.name, ...verb.aliases])
  const near = nearestWords(name, [...known, 'help', 'completion'])
  return new BuilderError('USAGE', {
    operation: 'verb',
    object: quoted(name),
    reason: 'there is no such verb',
    ...(near.length > 0 ? { hint: didYouMean(near) } : {}),
  })
}

/** `did you mean from or run?` */
export function didYouMean(near: readonly string[]): string {
  const last = near.at(-1) ?? ''
  return `did you mean ${near.length > 1 ? `${near.slice(0, -1).join(', ')} or ${last}` : last}?`
}

/** A word of the user's as messages show it. */
export function quoted(word: string): string {
  return /^[\w./:@%+=,-]+( [\w-]+)?$/.test(word) ? word : JSON.stringify(word)
}

function endOfGlobals(argv: readonly string[], table: VerbTable): number {
  let i = 0
  while (argv[i]?.startsWith('-')) {
    const word = argv[i] as string
    if (!['-h', '--help', '-v', '--version'].includes(word)) {
      const flag = globalFlag(word, table.globals)
      if (!flag) throw unknownGlobal(word, table)
      if (takesValue(flag) && !word.includes('=')) i++
    }
    i++
  }
  return i
}

function globalFlag(word: string, globals: readonly Flag[]): Flag | undefined {
  const name = word.startsWith('--') ? word.slice(2).replace(/=.*/s, '') : ''
  return globals.find((flag) => flag.name === name || flag.also?.includes(name))
}

function unknownGlobal(word: string, table: VerbTable): BuilderError {
  const name = word.replace(/=.*/s, '')
  const verb = table.verbs.find(({ flags }) =>
    flags.some((flag) => name === `--${flag.name}` || name === `-${flag.short}`),
  )
  const near = nearestWords(
    name,
    table.globals.map((flag) => `--${flag.name}`),
  )
  const hint = verb ? "a verb's flags stand after the verb" : near.length > 0 ? didYouMean(near) : undefined
  return new BuilderError('USAGE', {
    operation: 'flag',
    object: quoted(name),
    reason: 'there is no such flag before the verb',
    ...(hint ? { hint } : {}),
  })
}

function wordsOf(words: readonly string[]): string[] {
  return words.filter((word) => !word.startsWith('-'))
}
