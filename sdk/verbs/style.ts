/** How words look on a terminal that has colours. Source: ECMA-48, SGR. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

const codes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 }

/** Gives text a style, unless the user wants none (https://no-color.org). */
export function styled(text: string, style: Style): string {
  if (process.env.NO_COLOR || text === '') return text
  return `\u001b[${codes[style]}m${text}\u001b[0m`
}

/** Where a style begins or ends: it takes no room. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a style begins with one
export const styles = /(\u001b\[\d+m)/g

/** The text without its styles. */
export function unstyled(text: string): string {
  return text.replace(styles, '')
}
