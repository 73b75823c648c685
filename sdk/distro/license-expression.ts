import { createRequire } from 'node:module'

/**
 * A license as a package states it, as an SPDX license expression in the list's own spelling; undefined when it is none.
 * Source: SPDX specification 2.3, annex D.
 */
export function licenseExpression(text: string): string | undefined {
  if (text.length > 4096) return undefined
  const words = text.match(/[()]|[^\s()]+/g) ?? []
  return new Parser(words).whole()
}

/**
 * compound = simple | simple "WITH" exception | compound "AND" compound | compound "OR" compound | "(" compound ")".
 * Operators are told apart by case, identifiers are not.
 */
class Parser {
  readonly #words: readonly string[]
  #at = 0
  #depth = 0

  constructor(words: readonly string[]) {
    this.#words = words
  }

  whole(): string | undefined {
    const expression = this.#compound()
    return this.#at === this.#words.length ? expression : undefined
  }

  #compound(): string | undefined {
    const first = this.#operand()
    if (first === undefined) return undefined
    const pieces = [first]
    while (['AND', 'OR'].includes(this.#words[this.#at] ?? '')) {
      const operator = this.#words[this.#at++] ?? ''
      const next = this.#operand()
      if (next === undefined) return undefined
      pieces.push(operator, next)
    }
    return pieces.join(' ')
  }

  #operand(): string | undefined {
    const word = this.#words[this.#at++]
    if (word === '(') return this.#bracketed()
    const license = word === undefined ? undefined : licenseID(word)
    if (license === undefined || this.#words[this.#at] !== 'WITH') return license
    this.#at++
    const exception = listed().exceptions.get(this.#words[this.#at++]?.toLowerCase() ?? '')
    return exception === undefined ? undefined : `${license} WITH ${exception}`
  }

  #bracketed(): string | undefined {
    if (++this.#depth > 20) return undefined
    const inner = this.#compound()
    this.#depth--
    return inner !== undefined && this.#words[this.#at++] === ')' ? `(${inner})` : undefined
  }
}

/** `LicenseRef-` would need a text that nobody here has. */
function licenseID(word: string): string | undefined {
  const { licenses } = listed()
  const whole = licenses.get(word.toLowerCase())
  if (whole !== undefined || !word.endsWith('+')) return whole
  const base = licenses.get(word.slice(0, -1).toLowerCase())
  return base === undefined ? undefined : `${base}+`
}

interface Listed {
  readonly licenses: ReadonlyMap<string, string>
  readonly exceptions: ReadonlyMap<string, string>
}

let read: Listed | undefined

/** The SPDX license list, loaded when a document is asked for. */
function listed(): Listed {
  if (read) return read
  const require = createRequire(import.meta.url)
  const ids = (name: string) => require(name) as readonly string[]
  const byName = (names: readonly string[]) => new Map(names.map((name) => [name.toLowerCase(), name]))
  read = {
    licenses: byName([...ids('spdx-license-ids'), ...ids('spdx-license-ids/deprecated')]),
    exceptions: byName([...ids('spdx-exceptions'), ...ids('spdx-exceptions/deprecated')]),
  }
  return read
}
