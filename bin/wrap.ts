/** Breaks text into lines of at most `columns`, each with the indent in front; lines of a list (`- `) stay lines. */
export function wrap(text: string, columns: number, indent: string): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns - indent.length, indent, line.startsWith('- ') ? '  ' : ''))
    .join('\n')
}

/** Documentation as plain text: code without its backticks. */
export function plain(text: string): string {
  return text.replaceAll('`', '')
}

function wrapLine(line: string, columns: number, indent: string, hanging: string): string {
  const lines: string[] = []
  let current = ''
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`
    if (longer.length > columns && current.trim() !== '') {
      lines.push(indent + current)
      current = hanging + word
    } else current = longer
  }
  return [...lines, indent + current].join('\n')
}
