import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { quoteWord } from '../image/words.js'
import { checkLabel } from './check-label.js'
import { type RunFlags, runFlags } from './run-flags.js'

/** What a label is to do: run the image, or another command. */
export type LabelCommandOptions = LabelRunOptions | LabelWordsOptions

/** Run the image, with the flags of `run`. */
export interface LabelRunOptions extends RunFlags {
  /** Who is named in the label. Default: `podman`, which all that read run labels know. */
  readonly engine?: 'podman' | 'docker' | 'builder'
  /** Words behind the image. Text, but for the words IMAGE and NAME. */
  readonly command?: readonly string[]
}

/** Any command, as `['podman', 'rm', '-f', 'NAME']`. */
export interface LabelWordsOptions {
  readonly words: readonly string[]
}

/**
 * Labels that say how an image is run, installed and removed, from typed options: quoted, so that a value stays one word, and checked.
 * Each gives `NAME=text`, for the option `label` of `config`. IMAGE and NAME are replaced when the label is carried out; `${PWD}`, `${HOME}`,
 * `${OPT1}` and what else a label knows in options too, everything else is plain text.
 *
 * Throws `INVALID` and `UNSUPPORTED` for what is no correct label.
 *
 * @example
 * ```ts
 * import { from, label } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.config({
 *   label: [
 *     label.run({ rm: true, name: 'NAME', network: 'host', volume: ['${PWD}:/work'], command: ['serve', '--on', 'a b'] }),
 *     label.uninstall({ words: ['podman', 'rm', '-f', 'NAME'] }),
 *   ],
 * })
 * ```
 */
export const label = {
  /** The label RUN: what `builder runlabel` runs when no other is named. */
  run: (options: LabelCommandOptions = {}): string => named('RUN', options),
  /** The label INSTALL. */
  install: (options: LabelCommandOptions = {}): string => named('INSTALL', options),
  /** The label UNINSTALL. */
  uninstall: (options: LabelCommandOptions = {}): string => named('UNINSTALL', options),
  /** The label STOP. */
  stop: (options: LabelCommandOptions = {}): string => named('STOP', options),
  /** A label of any name. */
  named: (name: string, options: LabelCommandOptions = {}): string => named(name, options),
} as const

function named(name: string, options: LabelCommandOptions): string {
  const text = 'words' in options ? options.words.map(quoteWord).join(' ') : runText(options)
  checkLabel(name, text)
  return `${name}=${text}`
}

function runText({ engine = 'podman', command = [], ...flags }: LabelRunOptions): string {
  for (const key of Object.keys(flags)) if (!known.includes(key)) throw unknown(key)
  const verb = engine === 'builder' ? 'run-image' : 'run'
  const words = runFlags.flatMap(({ name, key }) => {
    const value = flags[key]
    if (value === undefined) return []
    if (value === true) return [`--${name}`]
    return typeof value === 'object' ? value.map((one) => `--${name}=${one}`) : [`--${name}=${value}`]
  })
  return [engine, verb, ...words.map(quoteFlag), 'IMAGE', ...command.map(quoteWord)].join(' ')
}

const known: readonly string[] = runFlags.map(({ key }) => key)

/** What the compiler says to whoever writes TypeScript. */
function unknown(key: string): BuilderError {
  const near = nearestWord(key, known)
  const hint = near ? `did you mean ${near}?` : `known are ${known.join(', ')}`
  return new BuilderError('INVALID', { operation: 'make label', object: key, reason: 'there is no such option', hint })
}

/** In double quotes, where a variable of a label is in it; those keep it one word. */
function quoteFlag(word: string): string {
  if (!variable.test(word)) return quoteWord(word)
  const parts = word.split(new RegExp(`(${variable.source})`))
  return `"${parts.map((part) => (variable.test(part) ? part : part.replace(/["\\$`]/g, '\\$&'))).join('')}"`
}

const variable = /\$\{(?:IMAGE|NAME|OPT[123]|PWD|HOME|SUDO_UID|SUDO_GID|CONFDIR|DATADIR|LOGDIR)\}/
