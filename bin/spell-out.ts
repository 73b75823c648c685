import { BuilderError } from '../sdk/errors.js'
import { quoted } from './choose.js'
import { type Flag, takesValue, type Verb } from './verb.js'

/**
 * Rewrites what scripts for buildah say and commander does not read: `--quiet=false`, `-f=docker`, and a flag whose
 * value may be absent (`--pull image`, where the next word is never the value). What is a value or an argument stays.
 * Throws `USAGE` for a boolean flag with a value that is none.
 */
export function spellOut(verb: Verb, flags: readonly Flag[], words: readonly string[]): string[] {
  const spelt: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    const isFlag = word.startsWith('-') && word.length > 1
    if (word === '--' || (verb.passthrough && !isFlag)) return [...spelt, ...words.slice(i)]
    const [text, takesNext] = isFlag ? spellFlag(verb, flags, word) : [word, false]
    spelt.push(text)
    const value = takesNext ? words[i + 1] : undefined
    if (value === undefined) continue
    spelt.push(value)
    i++
  }
  return spelt
}

/** How `--quiet=false` is handed to commander, whether or not `--no-quiet` is a flag. */
export function falseSpelling({ name }: Flag): string {
  return `--${name}=false`
}

/** The flag, and whether the next word is its value. */
function spellFlag(verb: Verb, flags: readonly Flag[], word: string): [string, boolean] {
  if (!word.startsWith('--')) return spellShorts(flags, word)
  const [name = '', value] = split(word.slice(2))
  const flag = flags.find((one) => one.name === name || one.also?.includes(name))
  if (!flag) return [word, false]
  if (value === undefined) return flag.kind === 'optional-value' ? [`--${name}=true`, false] : [word, takesValue(flag)]
  if (flag.kind !== 'boolean') return [word, false]
  if (['true', '1', 't', 'T', 'TRUE', 'True'].includes(value)) return [`--${name}`, false]
  if (['false', '0', 'f', 'F', 'FALSE', 'False'].includes(value)) return [falseSpelling(flag), false]
  throw new BuilderError('USAGE', {
    operation: verb.name,
    object: quoted(`--${name}`),
    reason: `${JSON.stringify(value)} is neither true nor false`,
  })
}

/** In `-qe=A=1`, q is a boolean flag and e takes the rest; as in buildah, an `=` after the letter is not of the value. */
function spellShorts(flags: readonly Flag[], word: string): [string, boolean] {
  for (let i = 1; i < word.length; i++) {
    const flag = flags.find((one) => one.short === word[i])
    if (!flag) return [word, false]
    if (!takesValue(flag)) continue
    const rest = word.slice(i + 1)
    return rest === '' ? [word, true] : [word.slice(0, i + 1) + rest.replace(/^=/, ''), false]
  }
  return [word, false]
}

function split(text: string): [string, string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}
