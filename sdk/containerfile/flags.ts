import { nearestWord } from '../image/near-word.js'
import type { LogicalLine } from './logical-line.js'
import type { Word } from './words.js'

/** What a flag takes: a value, several, or `true` and `false`. */
export type FlagKind = 'value' | 'values' | 'switch'

/** The flags of an instruction, judged: each by its name, with the values it was given. */
export class Flags {
  readonly #given = new Map<string, Word[]>()

  /** Throws `INVALID` for a flag that the instruction does not have, one given twice and a value that does not fit. */
  constructor(
    readonly line: LogicalLine,
    readonly instruction: string,
    given: readonly Word[],
    readonly known: Readonly<Record<string, FlagKind>> = {},
  ) {
    for (const flag of given) this.#take(flag)
  }

  /** The value of a flag that may be given once; absent also when it is empty. */
  value(name: string): string | undefined {
    return this.#given.get(name)?.[0]?.text || undefined
  }

  values(name: string): readonly string[] {
    return (this.#given.get(name) ?? []).map(({ text }) => text)
  }

  isOn(name: string): boolean | undefined {
    const value = this.#given.get(name)?.[0]?.text
    return value === undefined ? undefined : value.toLowerCase() !== 'false'
  }

  /** Throws `INVALID` for a value that is not one of those. */
  oneOf(name: string, choices: readonly string[]): string | undefined {
    const value = this.value(name)
    if (value === undefined || choices.includes(value)) return value
    throw this.wrong(name, `--${name} cannot be ${value}`, `write one of ${choices.join(', ')}`)
  }

  /** The error for a flag's value. */
  wrong(name: string, reason: string, hint?: string) {
    const flag = this.#given.get(name)?.[0]
    return this.line.wrong(flag?.at ?? 0, this.#length(flag?.at ?? 0), reason, hint)
  }

  #take({ text, at }: Word): void {
    const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(text) ?? []
    const wrong = (reason: string, hint?: string) => this.line.wrong(at, this.#length(at), reason, hint)
    const kind = Object.hasOwn(this.known, name) ? this.known[name] : undefined
    if (kind === undefined) throw wrong(`${this.instruction} has no flag --${name}`, this.#hint(name))
    const before = this.#given.get(name) ?? []
    if (before.length > 0 && kind !== 'values') throw wrong(`--${name} is given twice`, 'keep one of them')
    if (kind === 'switch' && value !== undefined && !/^(true|false)$/i.test(value))
      throw wrong(`--${name} is true or false, not ${JSON.stringify(value)}`)
    if (kind !== 'switch' && value === undefined) throw wrong(`--${name} has no value`, `write --${name}=VALUE`)
    this.#given.set(name, [...before, { text: value ?? 'true', at }])
  }

  #hint(name: string): string {
    const names = Object.keys(this.known)
    const near = nearestWord(name, names)
    if (near !== undefined) return `did you mean --${near}?`
    if (names.length === 0) return `${this.instruction} takes no flags`
    return `it has ${names.map((one) => `--${one}`).join(', ')}`
  }

  /** How long a flag is as it was written, up to its `=`: that is what the caret points at. */
  #length(at: number): number {
    return /^[^\s=]*/.exec(this.line.text.slice(at, at + 80))?.[0].length ?? 1
  }
}
