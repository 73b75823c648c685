import { Command, CommanderError, Option } from 'commander'
import { BuilderError } from '../sdk/errors.js'
import { nearestWords } from '../sdk/image/near-word.js'
import { didYouMean, quoted } from './choose.js'
import { assignOperands } from './operands.js'
import { falseSpelling, spellOut } from './spell-out.js'
import { readValue, type Value } from './values.js'
import { type Flag, formatValue, takesValue, type Verb } from './verb.js'

/** A verb's command line, read. */
export interface Parsed {
  /** One entry a parameter of the verb's function, the options left out. */
  readonly positionals: readonly (string | readonly string[] | undefined)[]
  readonly options: Readonly<Record<string, Value>>
  /** True when `--help` stood among the flags: nothing else was checked. */
  readonly wantsHelp: boolean
}

/**
 * Reads the words after a verb. Only this verb's flags and the global ones are given to commander; it is used for
 * taking words apart, and the help and the messages are made from the table. Throws `USAGE`.
 */
export function parseWords(verb: Verb, globals: readonly Flag[], words: readonly string[]): Parsed {
  const flags = [...verb.flags, ...globals]
  const given: { flag: Flag; text: string | undefined }[] = []
  let wantsHelp = false
  const command = new Command(verb.name).helpCommand(false).helpOption(false).exitOverride()
  command.configureOutput({ writeErr: () => {} }).passThroughOptions(verb.passthrough)
  for (const flag of flags)
    for (const { option, isFalse } of optionsFor(flag))
      command.addOption(option).on(`option:${option.name()}`, (text?: string) => {
        given.push({ flag, text: isFalse ? 'false' : text })
      })
  command.addOption(new Option('-h, --help')).on('option:help', () => {
    wantsHelp = true
  })
  const { operands, unknown } = takeApart(command, verb, flags, spellOut(verb, flags, words))
  if (wantsHelp) return { positionals: [], options: {}, wantsHelp }
  if (unknown[0] !== undefined) throw unknownFlag(verb, flags, unknown[0], operands.length)
  const options: Record<string, Value> = {}
  for (const { flag, text } of given) options[flag.key] = readValue(verb, flag, text, options[flag.key])
  return { positionals: assignOperands(verb, operands), options, wantsHelp }
}

/**
 * One commander option a spelling. What it would make of `--no-x` does not count, for each spelling is listened to.
 */
function optionsFor(flag: Flag): { option: Option; isFalse: boolean }[] {
  const value = takesValue(flag) || flag.kind === 'optional-value' ? ' <value>' : ''
  const [name, ...also] = namesOf(flag).map((one) => `--${one}${value}`)
  const spellings = [`${flag.short ? `-${flag.short}, ` : ''}${name}`, ...also]
  const negations =
    flag.kind === 'boolean' ? [falseSpelling(flag), ...(flag.negatable ? [`--no-${flag.name}`] : [])] : []
  return [
    ...spellings.map((one) => ({ option: new Option(one), isFalse: false })),
    ...negations.map((one) => ({ option: new Option(one), isFalse: true })),
  ]
}

function namesOf({ name, also = [] }: Flag): readonly string[] {
  return [name, ...also]
}

function takeApart(command: Command, verb: Verb, flags: readonly Flag[], words: readonly string[]) {
  try {
    return command.parseOptions([...words])
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    const word = words.at(-1) ?? ''
    const flag = flags.find((one) =>
      word.startsWith('--') ? namesOf(one).includes(word.slice(2)) : one.short === word.at(-1),
    )
    throw new BuilderError('USAGE', {
      operation: verb.name,
      object: quoted(word),
      reason: `its value is missing${flag ? ` (${formatValue(flag).trim()})` : ''}`,
      cause: error,
    })
  }
}

function unknownFlag(verb: Verb, flags: readonly Flag[], word: string, before: number): BuilderError {
  const name = word.replace(/=.*/s, '')
  const known = flags.flatMap((flag) => [...namesOf(flag), ...(flag.negatable ? [`no-${flag.name}`] : [])])
  const near = name.startsWith('--') ? nearestWords(name.slice(2), [...known, 'help']).map((one) => `--${one}`) : []
  const hint =
    near.length > 0 ? didYouMean(near) : passesOn(verb, before) ? 'write -- before words that are passed on' : ''
  return new BuilderError('USAGE', {
    operation: verb.name,
    object: quoted(name),
    reason: 'there is no such flag',
    ...(hint === '' ? {} : { hint }),
  })
}

/** Whether words after so many others are for somebody else: dnf's, or a label's command. */
function passesOn({ positionals }: Verb, before: number): boolean {
  const last = positionals.at(-1)
  return last?.many === true && before >= positionals.length - 1 && last.text.includes('behind `--`')
}
