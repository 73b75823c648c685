import { BuilderError } from '../errors.js'

/** A JSON value that knows its line, for messages that name it. */
export interface Located {
  readonly line: number
  readonly value: null | boolean | number | string | readonly Located[] | ReadonlyMap<string, Located>
}

/**
 * Reads JSON text (RFC 8259). Throws `INVALID` with file and line, also for a name that an object has twice: two readers could
 * disagree about which counts.
 */
export function readLocatedJson(text: string, file: string): Located {
  const reader = new Reader(text, file)
  const value = reader.value(0)
  reader.blanks()
  if (!reader.isAtEnd()) throw reader.wrong('something stands behind the end')
  return value
}

class Reader {
  readonly #text: string
  readonly #file: string
  #at = 0

  constructor(text: string, file: string) {
    this.#text = text
    this.#file = file
  }

  isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  blanks(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++
  }

  wrong(reason: string): BuilderError {
    const line = this.#line()
    const hint = 'correct it'
    return new BuilderError('INVALID', { operation: 'read policy', object: `${this.#file}:${line}`, reason, hint })
  }

  value(depth: number): Located {
    this.blanks()
    const line = this.#line()
    const c = this.#text[this.#at]
    if (depth > 16) throw this.wrong('it is nested too deeply')
    if (c === '{') return { line, value: this.#object(depth) }
    if (c === '[') return { line, value: this.#list(depth) }
    if (c === '"') return { line, value: this.#string() }
    const [word = ''] = /^[-+.\w]+/.exec(this.#text.slice(this.#at, this.#at + 64)) ?? []
    try {
      const value = JSON.parse(word) as null | boolean | number
      this.#at += word.length
      return { line, value }
    } catch {
      throw this.wrong(c === undefined ? 'it ends too early' : `${JSON.stringify(word || c)} is no JSON value`)
    }
  }

  #line(): number {
    return this.#text.slice(0, this.#at).split('\n').length
  }

  #object(depth: number): ReadonlyMap<string, Located> {
    const found = new Map<string, Located>()
    this.#each('}', () => {
      const name = this.#string()
      if (found.has(name)) throw this.wrong(`${JSON.stringify(name)} stands here twice`)
      this.blanks()
      this.#need(':')
      found.set(name, this.value(depth + 1))
    })
    return found
  }

  #list(depth: number): readonly Located[] {
    const found: Located[] = []
    this.#each(']', () => found.push(this.value(depth + 1)))
    return found
  }

  #each(end: string, one: () => void): void {
    this.#at++
    this.blanks()
    if (this.#text[this.#at] === end) {
      this.#at++
      return
    }
    for (;;) {
      this.blanks()
      one()
      this.blanks()
      if (this.#text[this.#at] === end) break
      this.#need(',')
    }
    this.#at++
  }

  #need(c: string): void {
    if (this.#text[this.#at] !== c) throw this.wrong(`a ${c} is missing`)
    this.#at++
  }

  #string(): string {
    const rest = this.#text.slice(this.#at)
    const [text] = /^"(?:[^"\\\n]|\\.)*"/.exec(rest) ?? []
    if (text === undefined) throw this.wrong('a name or text in "…" is missing, or not closed')
    try {
      const value = JSON.parse(text) as string
      this.#at += text.length
      return value
    } catch {
      throw this.wrong(`${text} is no JSON text`)
    }
  }
}
