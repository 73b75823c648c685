/** A word of an instruction and where it stands in the logical line. */
export interface Word {
  readonly text: string
  readonly at: number
}

/** Words between blanks; quotes mean nothing here. */
export function plainWords(text: string, from: number): readonly Word[] {
  return [...text.slice(from).matchAll(/\S+/g)].map((match) => ({ text: match[0], at: from + match.index }))
}

/** Words between blanks that are not quoted; quotes and escapes stay in them. Source: Dockerfile reference, "ENV". */
export function quotedWords(text: string, from: number, escapeChar: string): readonly Word[] {
  const words: Word[] = []
  let at = afterBlanks(text, from)
  while (at < text.length) {
    const word = quotedWord(text, at, escapeChar)
    if (word.text !== '') words.push({ text: word.text, at })
    at = afterBlanks(text, word.end)
  }
  return words
}

/** A word that begins at a place, as written; an escape character at the very end of the line is dropped. */
function quotedWord(text: string, from: number, escapeChar: string): { text: string; end: number } {
  let quote = ''
  let at = from
  for (; at < text.length; at++) {
    const char = text[at] ?? ''
    if (quote === '' && isBlank(char)) break
    if (char === escapeChar && quote !== "'") {
      if (at === text.length - 1) return { text: text.slice(from, at), end: text.length }
      at++
    } else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
  }
  return { text: text.slice(from, at), end: at }
}

/** The flags in front of an instruction's arguments, and where these begin. Quotes and escapes in flags are taken away. */
export function readFlags(text: string, from: number, escapeChar: string): { flags: readonly Word[]; rest: number } {
  const flags: Word[] = []
  let at = afterBlanks(text, from)
  while (text.startsWith('--', at)) {
    const word = bareWord(text, at, escapeChar)
    const begin = at
    at = afterBlanks(text, word.end)
    if (word.text === '--') break
    flags.push({ text: word.text, at: begin })
  }
  return { flags, rest: at }
}

function bareWord(text: string, from: number, escapeChar: string): { text: string; end: number } {
  let [word, quote, at] = ['', '', from]
  for (; at < text.length; at++) {
    const char = text[at] ?? ''
    if (quote === '' && isBlank(char)) break
    if (char === escapeChar) word += text[++at] ?? ''
    else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
    else word += char
  }
  return { text: word, end: Math.min(at, text.length) }
}

function afterBlanks(text: string, from: number): number {
  let at = from
  while (at < text.length && isBlank(text[at] ?? '')) at++
  return at
}

function isBlank(char: string): boolean {
  return /\s/.test(char)
}
