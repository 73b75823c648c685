import { posix } from 'node:path'
import { BuilderError } from '../errors.js'
import { readEngineLine } from './engine-line.js'
import { isRunLine, type LineFault, readRunLine } from './run-line.js'
import { visible } from './show.js'
import { substitute } from './substitute.js'
import { splitLabel } from './words.js'

/** What a label's text is good for, where nothing is wrong with it. */
export interface CheckedLabel {
  /** Flags that only podman or docker itself can carry out. */
  readonly others: readonly string[]
}

/**
 * Checks the text of a run label before it is written into an image: its words and quotes, its variables, its flags, and that a `run`
 * line runs IMAGE. Nothing is executed.
 *
 * Throws `INVALID` that tells the place, `UNSUPPORTED` for a flag that builder cannot honour in a line of its own.
 *
 * @param name - The label's name, for messages.
 * @example
 * ```ts
 * import { checkLabel } from './check-label.js'
 * checkLabel('run', 'podman run --rm -p 80:80 IMAGE') // { others: ['--publish=80:80'] }
 * ```
 */
export function checkLabel(name: string, text: string): CheckedLabel {
  checkName(name)
  const words = located(name, () => substitute(splitLabel(text), sample).map((word) => word.text))
  const read = readRunLine(words)
  const engine = posix.basename(words[0] ?? '')
  const hasGlobalFlag = 'at' in read && read.at === 1 && read.code === 'UNSUPPORTED'
  if (!isRunLine(words) && !hasGlobalFlag) return { others: [] }
  if ('at' in read) {
    if (read.code === 'INVALID' || engine === 'builder' || hasGlobalFlag) throw faulty(name, text, read)
    return { others: passedOn(name, text, words) }
  }
  checkImage(name, text, read.image, read.imageAt)
  return { others: [] }
}

/** The variables of a label, each as itself. Source: sdk/runlabel/values.ts. */
const sample = Object.fromEntries(
  'IMAGE NAME OPT1 OPT2 OPT3 PWD HOME SUDO_UID SUDO_GID CONFDIR DATADIR LOGDIR GLOBAL_OPTS'
    .split(' ')
    .map((variable) => [variable, variable]),
)

function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) return
  throw new BuilderError('USAGE', {
    operation: 'config --runlabel',
    object: JSON.stringify(visible(name)),
    reason: 'it is no name of a label',
    hint: "write NAME='podman run … IMAGE'",
  })
}

function passedOn(name: string, text: string, words: readonly string[]): readonly string[] {
  // What builder leaves to others they may have: the rest has to be right all the same.
  const { line, others, givenImageAt } = located(name, () => readEngineLine(words))
  checkImage(name, text, line.image, givenImageAt)
  return others
}

function checkImage(name: string, text: string, image: string, at: number): void {
  if (image === 'IMAGE') return
  throw faulty(name, text, {
    at,
    code: 'INVALID',
    object: image,
    reason: 'IMAGE is missing: this would be run instead of the image that has the label',
    hint: 'write IMAGE where the name of the image belongs',
  })
}

function faulty(name: string, text: string, { at, code, object, reason, hint }: LineFault): BuilderError {
  const place = placeOfWord(text, at)
  const where = place === undefined ? 'at the end' : `at character ${place + 1}`
  const shown = object === '' ? '' : ` ${JSON.stringify(visible(object))}`
  return new BuilderError(code, {
    operation: 'check label',
    object: `${name}, ${where}:${shown}`,
    reason,
    hint,
  })
}

/** Where a word begins; undefined behind the last. The text was split before: its quotes are closed. */
function placeOfWord(text: string, wanted: number): number | undefined {
  let [quote, count, isInWord] = ['', -1, false]
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (quote === '' && /[ \t\n]/.test(c)) {
      isInWord = false
      continue
    }
    if (!isInWord && ++count === wanted) return i
    isInWord = true
    if (c === '\\' && quote !== "'") i++
    else if (c === quote) quote = ''
    else if (quote === '' && (c === "'" || c === '"')) quote = c
  }
  return undefined
}

function located<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof BuilderError)) throw error
    const { code, object, reason, hint } = error
    const about = object === '' ? name : `${name}: ${object}`
    const parts = { operation: 'check label', object: about, reason, cause: error }
    throw new BuilderError(code, hint === undefined ? parts : { ...parts, hint })
  }
}
