import { posix } from 'node:path'
import { BuilderError } from '../errors.js'
import { expansionAt, parseVariable } from './expansion.js'
import { visible } from './show.js'
import type { LabelWord } from './words.js'

/** What the variables of a label mean; an absent one is not set. */
export type LabelValues = Readonly<Record<string, string | undefined>>

/** A word of the command. */
export interface Word {
  readonly text: string
  /** The variable whose value made the word begin with a dash, where the label has none. */
  readonly dashFrom?: string
}

/**
 * Puts values into the words of a label. A word stays one word, whatever the value holds. IMAGE and NAME are also replaced where they are a word or
 * stand behind the last `=` of one. A word without quotes of which nothing is left vanishes.
 *
 * Throws `INVALID` for a variable that is not known, and for a value that a shell or an interpreter would read as a part of its script.
 *
 * @example
 * ```ts
 * import { substitute } from './substitute.js'
 * import { splitLabel } from './words.js'
 * substitute(splitLabel('podman run -e N=$NAME IMAGE'), { NAME: 'web', IMAGE: 'localhost/web' })
 * ```
 */
export function substitute(words: readonly LabelWord[], values: LabelValues): readonly Word[] {
  const filled = words.map((word) => fill(word, values))
  for (const [i, { used }] of filled.entries()) if (isScript(filled, i)) used.forEach(checkPlain(values))
  return filled.flatMap(({ text, used, keeps, isDashed }) => {
    if (text === '' && !keeps) return []
    const [first] = used
    return [{ text, ...(text.startsWith('-') && !isDashed && first ? { dashFrom: first } : {}) }]
  })
}

/** Names of the variables that the words use. */
export function variablesIn(words: readonly LabelWord[], values: LabelValues): ReadonlySet<string> {
  return new Set(words.flatMap((word) => fill(word, values).used))
}

interface Filled {
  readonly text: string
  readonly used: readonly string[]
  /** True when the word stays, though nothing may be in it. */
  readonly keeps: boolean
  /** True when its first character is a dash of the label's own. */
  readonly isDashed: boolean
}

function fill(word: LabelWord, values: LabelValues): Filled {
  const used: string[] = []
  const text = word.map((piece) => (piece.isVariable ? expand(piece.text, values, used) : piece.text)).join('')
  const keeps = word.some(({ isVariable, isQuoted }) => !isVariable || isQuoted)
  const isDashed = word.find(({ text, isVariable }) => isVariable || text !== '')?.text.startsWith('-') ?? false
  if (used.length > 0 || word.some(({ isVariable }) => isVariable)) return { text, used, keeps, isDashed }
  const [, before = '', name] = bare.exec(text) ?? []
  if (name === undefined) return { text, used, keeps, isDashed }
  return { text: before + (values[name] ?? ''), used: [name], keeps: true, isDashed }
}

const bare = /^(.*=)?(IMAGE|NAME)$/s

function expand(text: string, values: LabelValues, used: string[]): string {
  const variable = parseVariable(text)
  if (!variable) throw invalid(`\${${text}}`, `only \${NAME} and \${NAME:-default} are known`, 'name a shell for more')
  const { name, fallback, isForEmpty } = variable
  const isKnown = Object.hasOwn(values, name)
  if (!isKnown && fallback === undefined) {
    const reason = `there is no such variable; a label knows ${Object.keys(values).join(', ')}`
    throw invalid(`$${name}`, reason, `give it a default: \${${name}:-…}, or quote it with '…' or \\$`)
  }
  if (isKnown) used.push(name)
  const value = isKnown ? values[name] : undefined
  if (fallback === undefined) return value ?? ''
  return value === undefined || (isForEmpty && value === '') ? expandDefault(fallback, values, used) : value
}

/** A default may hold variables itself. */
function expandDefault(text: string, values: LabelValues, used: string[]): string {
  let result = ''
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '$') {
      result += text[at++]
      continue
    }
    const found = expansionAt(text, at, true)
    if (found.kind === 'refused')
      throw invalid(`\${…${text}}`, `no shell reads a label, and ${found.reason}`, 'quote it')
    result += found.kind === 'variable' ? expand(found.text, values, used) : found.text
    at = found.next
  }
  return result
}

/** The word after -c of a shell, or -e of an interpreter: what is in it is executed. */
function isScript(words: readonly Filled[], at: number): boolean {
  const flag = words[at - 1]?.text ?? ''
  if (!/^(-[A-Za-z]*[ce]|--command|--eval)$/.test(flag)) return false
  return words.slice(0, at - 1).some(({ text }) => interpreters.test(posix.basename(text)))
}

const interpreters =
  /^((ba|da|a|k|mk|z|fi|c|tc|hu)?sh|busybox|su|runuser|script|flock|(python|perl|ruby|node|lua|php)[\d.]*)$/

function checkPlain(values: LabelValues): (name: string) => void {
  return (name) => {
    if (/^[\w@%+=:,./-]*$/.test(values[name] ?? '')) return
    const reason = `its value ${visible(JSON.stringify(values[name]))} would be read as a part of the script that it stands in`
    throw invalid(`$${name}`, reason, `write the script in '…', where "$${name}" is taken from the environment`)
  }
}

function invalid(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read label', object, reason, hint })
}
