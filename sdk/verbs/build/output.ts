/**
 * Makes lines of a command's output, which comes in pieces: what a terminal would show of them, without colours and with
 * control characters as escapes.
 */
export class OutputLines {
  #rest = ''

  /** The lines that a piece ends. */
  push(text: string): readonly string[] {
    const lines = `${this.#rest}${text}`.split('\n')
    this.#rest = (lines.pop() ?? '').slice(-longest)
    return lines.map(shownLine)
  }

  /** The line that has no end yet. */
  get unfinished(): string {
    return shownLine(this.#rest)
  }

  /** The last line, when it has no end. */
  flush(): readonly string[] {
    const rest = this.unfinished
    this.#rest = ''
    return rest === '' ? [] : [rest]
  }
}

/** Characters of one line; more of it is dropped from its beginning. */
const longest = 65_536

/** The end of what a step printed: at most so many lines and characters. */
export class OutputTail {
  readonly #kept: string[] = []
  #length = 0
  #dropped = 0
  readonly #streams = { stdout: new OutputLines(), stderr: new OutputLines() }

  /** Gives the lines that a piece ended. */
  push(stream: 'stdout' | 'stderr', text: string): readonly string[] {
    return this.#keep(this.#streams[stream].push(text))
  }

  /** Gives the lines that had no end, when nothing more comes. */
  end(): readonly string[] {
    return this.#keep([...this.#streams.stdout.flush(), ...this.#streams.stderr.flush()])
  }

  /** The last lines, also one that has no end yet. */
  last(count: number): readonly string[] {
    const { stdout, stderr } = this.#streams
    const unfinished = [stdout.unfinished, stderr.unfinished].filter(Boolean)
    return [...this.#kept.slice(-count), ...unfinished].slice(-count)
  }

  /** How many lines came in all. */
  get count(): number {
    return this.#dropped + this.#kept.length
  }

  #keep(lines: readonly string[]): readonly string[] {
    for (const line of lines) {
      this.#kept.push(line)
      this.#length += line.length
    }
    while (this.#kept.length > mostLines || (this.#length > mostCharacters && this.#kept.length > 1)) {
      this.#length -= this.#kept.shift()?.length ?? 0
      this.#dropped++
    }
    return lines
  }
}

const mostLines = 200
const mostCharacters = 65_536

/** What is left of a line on a terminal: a carriage return writes over what was there. */
function shownLine(line: string): string {
  const plain = line.replace(sequences, '').replace(/\r+$/, '')
  return visible(plain.slice(plain.lastIndexOf('\r') + 1))
}

/** Colours, cursor movements and window titles. Source: ECMA-48, 5.4 (CSI) and 8.3.89 (OSC). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences begin with one
const sequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-Z\\^-~])/g

/** Control characters, line ends and what turns the direction of text are written as escapes; a tab is four blanks. */
export function visible(text: string): string {
  return text
    .replaceAll('\t', '    ')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)
}
