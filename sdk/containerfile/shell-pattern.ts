/**
 * A pattern of `${VAR#…}`, `${VAR%…}` and `${VAR/…/…}`: `*` any text on a line, `?` any character, `\` in front of `*`, `?` and
 * `\` itself. Brackets mean nothing. Matching takes time in proportion to the text, whatever the pattern.
 * Source: Dockerfile reference, "Environment replacement".
 */
export interface ShellPattern {
  /** The text without the shortest, or longest, beginning that fits. */
  readonly withoutStart: (text: string, longest: boolean) => string
  /** The text without the shortest, or longest, end that fits. */
  readonly withoutEnd: (text: string, longest: boolean) => string
  /** The text with the first longest part that fits replaced, or all of them. */
  readonly replaced: (text: string, by: string, all: boolean) => string
}

/** Reads a pattern; undefined when a `\` in it stands in front of something else, or at the end. */
export function shellPattern(text: string): ShellPattern | undefined {
  const runs = runsOf(text)
  return (
    runs && {
      withoutStart: (value, longest) => trimmed([...value], runs, longest).join(''),
      withoutEnd: (value, longest) =>
        trimmed([...value].reverse(), backwards(runs), longest)
          .reverse()
          .join(''),
      replaced: (value, by, all) => replace([...value], runs, by, all),
    }
  )
}

/** Characters that follow each other; undefined stands for any. Between two runs stands a `*`. */
type Run = readonly (string | undefined)[]

function runsOf(text: string): readonly Run[] | undefined {
  const runs: (string | undefined)[][] = [[]]
  const chars = [...text]
  for (let n = 0; n < chars.length; n++) {
    let char = chars[n]
    const run = runs.at(-1) ?? []
    if (char === '*') runs.push([])
    else if (char === '?') run.push(undefined)
    else if (char !== '\\') run.push(char)
    else {
      char = chars[++n]
      if (char === undefined || !'*?\\/}'.includes(char)) return undefined
      run.push(char)
    }
  }
  return runs
}

function backwards(runs: readonly Run[]): readonly Run[] {
  return runs.map((run) => [...run].reverse()).reverse()
}

function trimmed(text: string[], runs: readonly Run[], longest: boolean): string[] {
  const first = runs[0] ?? []
  if (!fits(text, 0, first)) return text
  const end = endOf(text, first.length, runs.slice(1), longest)
  return end === undefined ? text : text.slice(end)
}

function replace(text: readonly string[], runs: readonly Run[], by: string, all: boolean): string {
  const first = runs[0] ?? []
  let made = ''
  let [done, last] = [0, -1]
  for (let at = 0; at <= text.length; ) {
    const start = find(text, at, first, text.length)
    if (start === undefined) break
    const end = endOf(text, start + first.length, runs.slice(1), true)
    if (end === undefined) {
      at = nextTry(text, start, first)
      continue
    }
    // As in Go: what is empty does not fit right behind what fitted.
    made += text.slice(done, start).join('') + (end === start && start === last ? '' : by)
    if (!all) return made + text.slice(end).join('')
    done = last = end
    at = end > start ? end : end + 1
  }
  return made + text.slice(done).join('')
}

/** What does not fit here does not fit further on in the same line either, as a `*` ends with the line. */
function nextTry(text: readonly string[], start: number, first: Run): number {
  if (first.includes('\n') || first.includes(undefined)) return start + 1
  const end = text.indexOf('\n', start)
  return end < 0 ? text.length + 1 : end + 1
}

/** Where the rest of a pattern ends that begins with a `*` at a place. */
function endOf(text: readonly string[], from: number, rest: readonly Run[], longest: boolean): number | undefined {
  let at = from
  for (const [n, run] of rest.entries()) {
    const isLast = n === rest.length - 1
    const line = text.indexOf('\n', at)
    const until = line < 0 ? text.length : line
    const start = isLast && longest ? findLast(text, at, run, until) : find(text, at, run, until)
    if (start === undefined) return undefined
    at = start + run.length
  }
  return at
}

function find(text: readonly string[], from: number, run: Run, until: number): number | undefined {
  for (let at = from; at <= until; at++) if (fits(text, at, run)) return at
  return undefined
}

function findLast(text: readonly string[], from: number, run: Run, until: number): number | undefined {
  for (let at = Math.min(until, text.length - run.length); at >= from; at--) if (fits(text, at, run)) return at
  return undefined
}

function fits(text: readonly string[], at: number, run: Run): boolean {
  if (at + run.length > text.length) return false
  return run.every((char, n) => (char === undefined ? text[at + n] !== '\n' : text[at + n] === char))
}
