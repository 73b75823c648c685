import { BuilderError } from '../errors.js'
import { errorAt } from './point-at.js'
import { shellPattern } from './shell-pattern.js'
import type { Position } from './syntax.js'

/** Gives the value of a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined

/** How a text is expanded. */
export interface ExpandOptions {
  /** The escape character of the file; `\` unless given. */
  readonly escape?: '\\' | '`'
  /** False in the body of a heredoc: quotes are ordinary characters there, and the escape is always `\`. */
  readonly quotes?: boolean
  /** Where the text was written, for errors. */
  readonly position?: Position
}

/**
 * Expands variables in a word, and takes quotes and escapes away: `$VAR`, `${VAR}`, `${VAR:-x}`, `${VAR-x}`, `${VAR:+x}`,
 * `${VAR+x}`, `${VAR:?x}`, `${VAR?x}`, `${VAR#x}`, `${VAR##x}`, `${VAR%x}`, `${VAR%%x}`, `${VAR/x/y}` and `${VAR//x/y}`, within
 * each other too. What is not set is empty. Source: Dockerfile reference, "Environment replacement".
 *
 * Throws `INVALID` for a form that is none of these, an open quote or brace, and the message of a `?` that says so.
 *
 * @example
 * ```ts
 * import { expandWord } from './expand.js'
 * expandWord('app-${VERSION:-1}.tar', () => undefined) // 'app-1.tar'
 * ```
 */
export function expandWord(text: string, lookup: Lookup, options: ExpandOptions = {}): string {
  return expand(text, lookup, options)
    .map((piece) => piece.text)
    .join('')
}

/** The same, then split at the blanks that no quote or escape protects; those in values of variables count too. */
export function expandWords(text: string, lookup: Lookup, options: ExpandOptions = {}): readonly string[] {
  const words: string[] = []
  let word = ''
  for (const { text: piece, isPlain } of expand(text, lookup, options)) {
    if (!isPlain) word += piece
    else
      for (const [n, part] of piece.split(/\s/).entries()) {
        if (n > 0) words.push(word)
        word = n > 0 ? part : word + part
      }
  }
  return [...words, word].filter((one) => one !== '')
}

/**
 * Expands variables in the body of a heredoc of `COPY` or `ADD`: quotes are text there, and the escape is always `\`, which
 * vanishes also in front of other characters (as in BuildKit; quote the heredoc's name to keep all as it is).
 */
export function expandHeredoc(content: string, lookup: Lookup, position?: Position): string {
  return expandWord(content, lookup, { quotes: false, ...(position ? { position } : {}) })
}

/** Deeper nesting than this is a mistake, or an attack on the stack. */
const deepest = 100

/** A part of a word; blanks in a plain one split it. */
interface Piece {
  readonly text: string
  readonly isPlain: boolean
}

function expand(text: string, lookup: Lookup, options: ExpandOptions): readonly Piece[] {
  // Most words have nothing to expand.
  if (!/[$'"\\`]/.test(text)) return [{ text, isPlain: true }]
  return new Expansion(text, lookup, options).word(undefined, false)
}

class Expansion {
  #at = 0
  #depth = 0
  readonly #escape: string
  readonly #hasQuotes: boolean

  constructor(
    readonly text: string,
    readonly lookup: Lookup,
    readonly options: ExpandOptions,
  ) {
    this.#hasQuotes = options.quotes ?? true
    this.#escape = (this.#hasQuotes && options.escape) || '\\'
  }

  /** Reads to the end, or behind the next `stop`. `keepsEscapes` is for patterns, which read them themselves. */
  word(stop: string | undefined, keepsEscapes: boolean): readonly Piece[] {
    const pieces: Piece[] = []
    const begin = this.#at
    while (this.#at < this.text.length) {
      const char = this.text[this.#at] ?? ''
      if (char === stop) {
        this.#at++
        return pieces
      }
      pieces.push(this.#piece(char, keepsEscapes))
    }
    if (stop !== undefined) throw this.#wrong(`the ${stop} that ends \${…} is missing`, begin)
    return pieces
  }

  #piece(char: string, keepsEscapes: boolean): Piece {
    if (char === '$') return { text: this.#variable(), isPlain: true }
    if (this.#hasQuotes && char === "'") return { text: this.#singleQuoted(), isPlain: false }
    if (this.#hasQuotes && char === '"') return { text: this.#doubleQuoted(keepsEscapes), isPlain: false }
    if (char === this.#escape) {
      const next = this.text[this.#at + 1] ?? ''
      this.#at += 2
      return { text: keepsEscapes ? char + next : next, isPlain: false }
    }
    const run = this.#match(ordinary) || char
    this.#at += run.length
    return { text: run, isPlain: true }
  }

  #singleQuoted(): string {
    const begin = this.#at
    const end = this.text.indexOf("'", begin + 1)
    if (end < 0) throw this.#wrong("the quote ' is never closed", begin)
    this.#at = end + 1
    return this.text.slice(begin + 1, end)
  }

  /** In double quotes the escape character counts only in front of `"`, `$` and itself. */
  #doubleQuoted(keepsEscapes: boolean): string {
    const begin = this.#at++
    let value = ''
    while (this.#at < this.text.length) {
      const char = this.text[this.#at] ?? ''
      if (char === '$') value += this.#variable()
      else if (char === this.#escape) value += this.#escapedInQuotes(keepsEscapes)
      else {
        this.#at++
        if (char === '"') return value
        value += char
      }
    }
    throw this.#wrong('the quote " is never closed', begin)
  }

  #escapedInQuotes(keepsEscapes: boolean): string {
    const next = this.text[++this.#at]
    const kept = keepsEscapes ? this.#escape : ''
    if (next !== '"' && next !== '$' && next !== this.#escape) return kept + (next === undefined ? '' : this.#escape)
    this.#at++
    return kept + next
  }

  #variable(): string {
    const begin = this.#at++
    if (this.text[this.#at] !== '{') {
      const name = this.#name()
      return name === '' ? '$' : (this.lookup(name) ?? '')
    }
    if (++this.#depth > deepest) throw this.#wrong(`\${…} is nested deeper than ${deepest} times`, begin)
    this.#at++
    const value = this.#braced(begin)
    this.#depth--
    return value
  }

  /** What stands between `${` and `}`. */
  #braced(begin: number): string {
    if (/[{}:]/.test(this.text[this.#at] ?? '')) throw this.#wrong('the name of the variable is missing', begin)
    const name = this.#name()
    const sign = this.text[this.#at++]
    if (sign === '}') return this.lookup(name) ?? ''
    if (sign === undefined) throw this.#wrong(`the } that ends \${…} is missing`, begin)
    if (sign === '/') return this.#replacement(name, begin)
    if (sign === '#' || sign === '%') return this.#trimmed(name, sign, begin)
    const other = sign === ':' ? (this.text[this.#at++] ?? '') : sign
    if (!'-+?'.includes(other) || other === '') throw this.#unknownForm(sign === ':' ? `:${other}` : sign, begin)
    return this.#chosen(name, other, sign === ':', begin)
  }

  /** `-`, `+` and `?`; with a colon what is empty counts as not set. */
  #chosen(name: string, sign: string, emptyIsUnset: boolean, begin: number): string {
    const word = this.#text('}', false)
    const value = this.lookup(name)
    const isSet = value !== undefined && !(emptyIsUnset && value === '')
    if (sign === '-') return isSet ? value : word
    if (sign === '+') return isSet ? word : ''
    if (isSet) return value
    throw this.#wrong(`${name}: ${word === '' ? `it must be set${emptyIsUnset ? ' and not empty' : ''}` : word}`, begin)
  }

  #trimmed(name: string, sign: string, begin: number): string {
    const word = this.#text('}', true)
    const longest = word.startsWith(sign)
    const pattern = this.#pattern(longest ? word.slice(1) : word, begin)
    const value = this.lookup(name) ?? ''
    return sign === '#' ? pattern.withoutStart(value, longest) : pattern.withoutEnd(value, longest)
  }

  #replacement(name: string, begin: number): string {
    const all = this.text[this.#at] === '/'
    if (all) this.#at++
    const word = this.#text('/', true)
    const by = this.#text('}', true)
    return this.#pattern(word, begin).replaced(this.lookup(name) ?? '', by, all)
  }

  #pattern(word: string, begin: number) {
    const pattern = shellPattern(word)
    if (pattern) return pattern
    throw this.#wrong(`in the pattern ${word} a \\ stands in front of something else than *, ? or \\`, begin)
  }

  #text(stop: string, keepsEscapes: boolean): string {
    return this.word(stop, keepsEscapes)
      .map((piece) => piece.text)
      .join('')
  }

  /** A name, the number of a positional parameter, or one of the shell's special parameters (these are never set). */
  #name(): string {
    const name = this.#match(variableName)
    this.#at += name.length
    return name
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    return pattern.exec(this.text)?.[0] ?? ''
  }

  #unknownForm(sign: string, begin: number): BuilderError {
    return this.#wrong(`\${…${sign}…} is not known`, begin, 'known are :- - :+ + :? ? # ## % %% / and //')
  }

  #wrong(reason: string, begin: number, hint?: string): BuilderError {
    const { position } = this.options
    const what = { operation: 'expand', reason, ...(hint === undefined ? {} : { hint }) }
    if (!position) return new BuilderError('INVALID', { ...what, object: JSON.stringify(this.text.slice(0, 200)) })
    const word = this.text.slice(begin, begin + 200).split('\n', 1)[0] ?? ''
    const at = position.text.indexOf(word)
    return errorAt(at < 0 ? position : { ...position, column: at + 1 }, { ...what, length: word.length })
  }
}

const ordinary = /[^$'"\\`}/]+/y

const variableName = /\p{Nd}+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*/uy
