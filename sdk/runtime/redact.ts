/** What stands for a secret in messages and output. */
export const redacted = '***'

/**
 * Takes secrets out of a stream of bytes. A piece that could be the beginning of one is kept back until it is clear what it
 * is; `end` gives the rest.
 */
export class Redaction {
  readonly #patterns: readonly Buffer[]
  readonly #longest: number
  #kept: Buffer = Buffer.alloc(0)

  constructor(secrets: readonly Uint8Array[]) {
    this.#patterns = patternsOf(secrets)
    this.#longest = this.#patterns[0]?.length ?? 0
  }

  push(chunk: Uint8Array): Buffer {
    if (this.#longest === 0) return Buffer.from(chunk)
    return this.#clean(Buffer.concat([this.#kept, chunk]), false)
  }

  end(): Buffer {
    return this.#clean(this.#kept, true)
  }

  #clean(bytes: Buffer, isLast: boolean): Buffer {
    const clean: Buffer[] = []
    let from = 0
    for (let hit = this.#next(bytes, from); hit; hit = this.#next(bytes, from)) {
      // A longer one may still come to stand where this one does.
      if (!isLast && hit.at + this.#longest > bytes.length && this.#mayGrow(bytes, hit)) break
      clean.push(bytes.subarray(from, hit.at), Buffer.from(redacted))
      from = hit.at + hit.length
    }
    const end = isLast ? bytes.length : this.#open(bytes, from)
    this.#kept = Buffer.from(bytes.subarray(end))
    return Buffer.concat([...clean, bytes.subarray(from, end)])
  }

  /** The first secret from a place on; the longest of those that begin there. */
  #next(bytes: Buffer, from: number): { at: number; length: number } | undefined {
    let first: { at: number; length: number } | undefined
    for (const pattern of this.#patterns) {
      const at = bytes.indexOf(pattern, from)
      if (at >= 0 && (!first || at < first.at)) first = { at, length: pattern.length }
    }
    return first
  }

  #mayGrow(bytes: Buffer, { at, length }: { at: number; length: number }): boolean {
    const rest = bytes.subarray(at)
    return this.#patterns.some((one) => one.length > length && one.length > rest.length && startsWith(one, rest))
  }

  /** Where the first piece begins that could become a secret with what comes next. */
  #open(bytes: Buffer, from: number): number {
    const start = Math.max(from, bytes.length - this.#longest + 1)
    // Of many or of large ones, more is kept back than need be: to look costs more.
    if (this.#patterns.length * this.#longest > 1 << 22) return Math.min(start, bytes.length)
    for (let at = start; at < bytes.length; at++) {
      const rest = bytes.subarray(at)
      if (this.#patterns.some((one) => one.length > rest.length && startsWith(one, rest))) return at
    }
    return bytes.length
  }
}

/** A text without the secrets that it holds. */
export function redactText(text: string, secrets: readonly Uint8Array[]): string {
  if (secrets.length === 0) return text
  const redaction = new Redaction(secrets)
  return Buffer.concat([redaction.push(Buffer.from(text)), redaction.end()]).toString()
}

/**
 * What is looked for, the longest first: a secret as it is, without a newline at its end, its lines (of four bytes and more),
 * with the line ends of a terminal, and as base64 and JSON have it.
 */
function patternsOf(secrets: readonly Uint8Array[]): Buffer[] {
  const found = new Map<string, Buffer>()
  const add = (bytes: Buffer) => bytes.length > 0 && found.set(bytes.toString('latin1'), bytes)
  for (const secret of secrets.map((one) => Buffer.from(one))) {
    const bare = withoutLineEnd(secret)
    add(secret.length > bare.length && bare.length === 0 ? Buffer.alloc(0) : bare)
    if (bare.length < shortest) continue
    const text = bare.toString('latin1')
    const lines = text.split(/\r?\n/)
    for (const line of lines) if (line.trim().length >= shortest) add(Buffer.from(line.trim(), 'latin1'))
    if (lines.length > 1) add(Buffer.from(lines.join('\r\n'), 'latin1'))
    for (const whole of [secret, bare]) add(Buffer.from(whole.toString('base64').replace(/=+$/, '')))
    add(Buffer.from(JSON.stringify(bare.toString()).slice(1, -1)))
  }
  return [...found.values()].sort((a, b) => b.length - a.length)
}

function withoutLineEnd(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === 10 || bytes[end - 1] === 13)) end--
  return bytes.subarray(0, end)
}

function startsWith(whole: Buffer, start: Buffer): boolean {
  return whole.compare(start, 0, start.length, 0, start.length) === 0
}

/** Bytes; shorter lines of a secret are words of any text. */
const shortest = 4
