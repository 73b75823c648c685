import { errorAt } from './point-at.js'
import type { Position } from './syntax.js'

/** A text of a recipe: what is written, and variables of the recipe in it. */
export type Value = readonly Part[]

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly form?: Form }
  /** A variable of the container's own environment, in a value of `config --env`. */
  | { readonly kind: 'own'; readonly name: string }

/** What `${NAME…}` does with the value. Source: Dockerfile reference, "Environment replacement". */
export type Form =
  | { readonly sign: ':-' | '-' | ':+' | '+' | ':?' | '?'; readonly word: Value }
  | { readonly sign: '#' | '##' | '%' | '%%'; readonly pattern: string }
  | { readonly sign: '/' | '//'; readonly pattern: string; readonly by: Value }

/** Gives what a variable is in the recipe. */
export type Resolve = (name: string, form: Form | undefined) => Value

/** How a text was written. */
export interface WordOptions {
  readonly escape: '\\' | '`'
  readonly quotes: boolean
  readonly position: Position
}

/** A text that has no variables. */
export function text(written: string): Value {
  return written === '' ? [] : [{ kind: 'text', text: written }]
}

/** The text of a value without variables; undefined for one with them. */
export function plainText(value: Value): string | undefined {
  const parts = value.map((part) => (part.kind === 'text' ? part.text : undefined))
  return parts.includes(undefined) ? undefined : parts.join('')
}

/** `$NAME`, or `${NAME}` where what follows would belong to the name. */
export function ownName(name: string, next: Part | undefined): string {
  return next?.kind === 'text' && !/^\w/.test(next.text) ? `$${name}` : next === undefined ? `$${name}` : `\${${name}}`
}

/** Takes quotes and escapes away, as {@link expandWord} does, and puts the recipe's variables in place of the file's. */
export function readValue(written: string, resolve: Resolve, options: WordOptions): Value {
  if (!/[$'"\\`]/.test(written)) return text(written)
  return joined(new Reader(written, resolve, options).read(undefined))
}

/** Texts beside each other become one. */
export function joined(parts: Value): Value {
  const result: Part[] = []
  for (const part of parts) {
    const last = result.at(-1)
    if (part.kind === 'text' && last?.kind === 'text')
      result[result.length - 1] = { kind: 'text', text: last.text + part.text }
    else if (part.kind !== 'text' || part.text !== '') result.push(part)
  }
  return result
}

class Reader {
  #at = 0

  constructor(
    readonly written: string,
    readonly resolve: Resolve,
    readonly options: WordOptions,
  ) {}

  /** Reads to the end, or behind the next `stop`. */
  read(stop: string | undefined): Part[] {
    const parts: Part[] = []
    while (this.#at < this.written.length) {
      const char = this.#next()
      if (char === stop) return parts
      if (char === '$') parts.push(...this.#variable())
      else if (this.options.quotes && char === "'") parts.push(...text(this.#until("'")))
      else if (this.options.quotes && char === '"') parts.push(...this.#quoted())
      else if (char === this.options.escape) parts.push(...text(this.#next()))
      else parts.push({ kind: 'text', text: char })
    }
    return parts
  }

  #next(): string {
    return this.written[this.#at++] ?? ''
  }

  #until(stop: string): string {
    const end = this.written.indexOf(stop, this.#at)
    const found = this.written.slice(this.#at, end < 0 ? undefined : end)
    this.#at += found.length + 1
    return found
  }

  #quoted(): Part[] {
    const parts: Part[] = []
    while (this.#at < this.written.length) {
      const char = this.#next()
      if (char === '"') break
      if (char === '$') parts.push(...this.#variable())
      else if (char === this.options.escape && /["$\\`]/.test(this.written[this.#at] ?? ''))
        parts.push({ kind: 'text', text: this.#next() })
      else parts.push({ kind: 'text', text: char })
    }
    return parts
  }

  #variable(): Value {
    const isBraced = this.written[this.#at] === '{'
    if (isBraced) this.#at++
    const name = /^[\p{L}_][\p{L}\p{Nd}_]*/u.exec(this.written.slice(this.#at))?.[0] ?? ''
    this.#at += name.length
    if (!isBraced) return name === '' ? text('$') : this.resolve(name, undefined)
    if (name === '') throw this.#cannot('a special parameter of the shell')
    const sign = /^(?::[-+?]|##?|%%?|\/\/?|[-+?}])/.exec(this.written.slice(this.#at))?.[0]
    if (sign === undefined) throw this.#cannot(`\${${name}…}`)
    this.#at += sign.length
    return this.resolve(name, sign === '}' ? undefined : this.#form(sign))
  }

  #form(sign: string): Form {
    if (/^[:+?-]/.test(sign)) return { sign: sign as ':-', word: joined(this.read('}')) }
    if (sign.startsWith('/')) {
      const pattern = this.#pattern('/')
      return { sign: sign as '/', pattern, by: joined(this.read('}')) }
    }
    return { sign: sign as '#', pattern: this.#pattern('}') }
  }

  /** A pattern must be as it stands: what brackets, quotes and variables in it mean differs from shell to shell. */
  #pattern(stop: string): string {
    const pattern = this.#until(stop)
    if (/^[\w.:@%+,=*?~ -]*$/.test(pattern)) return pattern
    throw this.#cannot(`the pattern ${pattern}`)
  }

  #cannot(what: string) {
    return errorAt(this.options.position, {
      operation: 'convert',
      reason: `${what} cannot be converted`,
      hint: 'write it with a variable of its own: ARG or ENV',
    })
  }
}
