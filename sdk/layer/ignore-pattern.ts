/** A pattern of an ignore file, without its `!`. */
export interface IgnorePattern {
  /** Whether a path, or a folder above it, fits. */
  readonly fits: (path: string) => boolean
  /** Names of folders that every path that fits begins with. */
  readonly lead: readonly string[]
}

/**
 * Reads a pattern: Go's filepath.Match with `**`. `*` and `?` stay within a name; `**` at the end is anything, else any number
 * of folders; a class is `[a-z]` or `[^a-z]`; `\` makes the next character plain. Undefined when it is malformed: a class that
 * does not end or has nothing in it, a `\` at the end. Source: Docker build reference, ".dockerignore file".
 */
export function ignorePattern(pattern: string): IgnorePattern | undefined {
  const tokens = tokensOf([...pattern])
  if (!tokens) return undefined
  return { fits: matcher(tokens), lead: leadOf(tokens) }
}

/** The same as the source of a regular expression for whole paths; undefined when it is malformed. */
export function globSource(pattern: string): string | undefined {
  return tokensOf([...pattern])
    ?.map(sourceOf)
    .join('')
}

type Token =
  | { readonly kind: 'char'; readonly char: string }
  /** Within a name: any character, or any number of them. */
  | { readonly kind: 'any' | 'star' }
  /** Any number of folders, or anything at all. */
  | { readonly kind: 'folders' | 'all' }
  | { readonly kind: 'class'; readonly isInverse: boolean; readonly ranges: readonly (readonly [string, string])[] }

function tokensOf(chars: readonly string[]): readonly Token[] | undefined {
  const tokens: Token[] = []
  let at = 0
  while (at < chars.length) {
    const char = chars[at++] ?? ''
    if (char === '*' && chars[at] === '*') {
      at += chars[at + 1] === '/' ? 2 : 1
      tokens.push({ kind: at >= chars.length ? 'all' : 'folders' })
    } else if (char === '*') tokens.push({ kind: 'star' })
    else if (char === '?') tokens.push({ kind: 'any' })
    else if (char === '[') {
      const found = classAt(chars, at)
      if (!found) return undefined
      tokens.push(found.token)
      at = found.end
    } else if (char === '\\') {
      const next = chars[at++]
      if (next === undefined) return undefined
      tokens.push({ kind: 'char', char: next })
    } else tokens.push({ kind: 'char', char })
  }
  return tokens[0]?.kind === 'folders' && tokens.slice(1).every(isPlain) && chars[2] !== '/' ? ends(tokens) : tokens
}

function isPlain({ kind }: Token): boolean {
  return kind === 'char'
}

/** As the reference has it, `**name` fits every path that ends with the name, also within a word. */
function ends(tokens: readonly Token[]): readonly Token[] {
  return [{ kind: 'all' }, ...tokens.slice(1)]
}

function classAt(chars: readonly string[], from: number): { token: Token; end: number } | undefined {
  const isInverse = chars[from] === '^'
  const ranges: [string, string][] = []
  let at = isInverse ? from + 1 : from
  while (chars[at] !== ']' || ranges.length === 0) {
    const low = classChar(chars, at)
    if (!low) return undefined
    const high = chars[low.end] === '-' ? classChar(chars, low.end + 1) : low
    if (!high) return undefined
    ranges.push([low.char, high.char])
    at = high.end
  }
  return { token: { kind: 'class', isInverse, ranges }, end: at + 1 }
}

function classChar(chars: readonly string[], at: number): { char: string; end: number } | undefined {
  const isEscaped = chars[at] === '\\'
  const char = chars[isEscaped ? at + 1 : at]
  if (char === undefined || (!isEscaped && (char === '-' || char === ']'))) return undefined
  return { char, end: at + (isEscaped ? 2 : 1) }
}

/**
 * An expression is fastest, but with many stars its time may grow without bound: a context from elsewhere must not be able to
 * make a build hang. Then all ways are followed at once.
 */
function matcher(tokens: readonly Token[]): (path: string) => boolean {
  if (tokens.filter(({ kind }) => kind === 'star' || kind === 'folders' || kind === 'all').length > 3)
    return (path) => simulate(tokens, [...path])
  const expression = new RegExp(`^${tokens.map(sourceOf).join('')}(?:/|$)`, 'su')
  return (path) => expression.test(path)
}

function sourceOf(token: Token): string {
  if (token.kind === 'char') return plain(token.char)
  if (token.kind === 'class') return classSource(token)
  return { any: '[^/]', star: '[^/]*', folders: '(?:.*/)?', all: '.*' }[token.kind]
}

function classSource({ isInverse, ranges }: Extract<Token, { kind: 'class' }>): string {
  const valid = ranges.filter(([low, high]) => codeOf(low) <= codeOf(high))
  if (valid.length === 0) return isInverse ? '[^]' : '[]'
  return `[${isInverse ? '^' : ''}${valid.map(([low, high]) => `${plain(low)}-${plain(high)}`).join('')}]`
}

function plain(char: string): string {
  return `\\u{${codeOf(char).toString(16)}}`
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0
}

/** Which tokens may come next, character by character. */
function simulate(tokens: readonly Token[], path: readonly string[]): boolean {
  let states = withSkipped(tokens, new Set([0]))
  for (const char of path) {
    if (char === '/' && states.has(tokens.length)) return true
    const next = new Set<number>()
    for (const state of states) step(tokens, state, char, next)
    states = withSkipped(tokens, next)
    if (states.size === 0) return false
  }
  return states.has(tokens.length)
}

function step(tokens: readonly Token[], state: number, char: string, next: Set<number>): void {
  // A state and a half is within folders that have begun: they have to end with a slash.
  const token = tokens[Math.floor(state)]
  if (!token) return
  if (token.kind === 'folders') {
    next.add(Math.floor(state) + 0.5)
    if (char === '/') next.add(state + 1 - (state % 1))
  } else if (token.kind === 'all') next.add(state)
  else if (token.kind === 'star') {
    if (char !== '/') next.add(state)
  } else if (takes(token, char)) next.add(state + 1)
}

/** Stars and folders may be nothing. */
function withSkipped(tokens: readonly Token[], states: ReadonlySet<number>): Set<number> {
  const all = new Set(states)
  for (const state of all) {
    const kind = Number.isInteger(state) ? tokens[state]?.kind : undefined
    if (kind === 'star' || kind === 'folders' || kind === 'all') all.add(state + 1)
  }
  return all
}

function takes(token: Token, char: string): boolean {
  if (token.kind === 'char') return token.char === char
  if (token.kind !== 'class') return char !== '/'
  return (
    token.ranges.some(([low, high]) => codeOf(low) <= codeOf(char) && codeOf(char) <= codeOf(high)) !== token.isInverse
  )
}

function leadOf(tokens: readonly Token[]): readonly string[] {
  const special = tokens.findIndex((token) => token.kind !== 'char')
  const text = (special < 0 ? tokens : tokens.slice(0, special)).map((token) =>
    token.kind === 'char' ? token.char : '',
  )
  const names = text.join('').split('/')
  return special < 0 ? names : names.slice(0, -1)
}
