import { BuilderError } from '../errors.js'

/**
 * Splits a line into words as a POSIX shell does (quotes and backslashes; XCU 2.2), with nothing expanded.
 * Throws `USAGE` for a quote that is not closed.
 */
export function splitWords(line: string): string[] {
  const found: string[] = []
  let word: string | undefined
  let quote = ''
  for (let i = 0; i < line.length; i++) {
    const c = line[i] as string
    if (quote === "'") {
      if (c === "'") quote = ''
      else word += c
    } else if (c === '\\' && (quote === '' || '"\\$`\n'.includes(line[i + 1] ?? ' '))) {
      word = (word ?? '') + (line[++i] ?? '')
    } else if (c === quote) {
      quote = ''
    } else if (quote === '' && (c === "'" || c === '"')) {
      quote = c
      word ??= ''
    } else if (quote === '' && /\s/.test(c)) {
      if (word !== undefined) found.push(word)
      word = undefined
    } else {
      word = (word ?? '') + c
    }
  }
  if (quote !== '') throw unclosed(line, quote)
  if (word !== undefined) found.push(word)
  return found
}

/** A word as a shell reads it back: quoted only where it must be. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function unclosed(line: string, quote: string): BuilderError {
  return new BuilderError('USAGE', {
    operation: 'split into words',
    object: JSON.stringify(line),
    reason: `a ${quote} is not closed`,
    hint: 'close the quote, or give a JSON list of words',
  })
}
