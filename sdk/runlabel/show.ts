import { quoteWord } from '../image/words.js'

/**
 * Text of somebody else's as a terminal may show it: control characters, line ends and characters that are not seen or turn the
 * direction of writing (Unicode Cc, Cf, Zl, Zp) are written as escapes. A label cannot pass for something else.
 *
 * @example
 * ```ts
 * import { visible } from './show.js'
 * visible('a\u202eb') // 'a\\u202eb'
 * ```
 */
export function visible(text: string): string {
  return text.replace(hidden, (c) => {
    const code = c.codePointAt(0) as number
    return code < 0x80 ? `\\x${hex(code, 2)}` : code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
  })
}

/**
 * Words as a shell reads them back, so that they can be pasted. A word that holds what would not be seen is written as `$'…'`, which
 * bash, ksh, zsh and POSIX.1-2024 know; line ends and tabs stand in plain quotes.
 */
export function pasteable(words: readonly string[]): string {
  return words.map((word) => (hiddenButBlank.test(word) ? dollarQuoted(word) : quoteWord(word))).join(' ')
}

/** As {@link pasteable}, on one line whatever the words hold. */
export function onOneLine(words: readonly string[]): string {
  return words.map((word) => (hiddenAny.test(word) ? dollarQuoted(word) : quoteWord(word))).join(' ')
}

const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu
const hiddenAny = new RegExp(hidden.source, 'u')
const hiddenButBlank = new RegExp(`(?![\\n\\t])${hidden.source}`, 'u')

function dollarQuoted(word: string): string {
  return `$'${visible(word.replace(/[\\']/g, '\\$&'))}'`
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
