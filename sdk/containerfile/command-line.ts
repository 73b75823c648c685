import type { LogicalLine } from './logical-line.js'
import type { CommandLine } from './syntax.js'

/**
 * A command in exec form (a JSON array of strings) or shell form. What looks like an array and is not JSON is shell form, as in
 * the reference; an array of other things than strings throws `INVALID`.
 */
export function commandLine(line: LogicalLine, from: number): CommandLine {
  const words = jsonWords(line, from)
  return words ? { form: 'exec', words } : { form: 'shell', line: line.text.slice(from).trim() }
}

/** The strings of a JSON array; undefined when it is none. */
export function jsonWords(line: LogicalLine, from: number): readonly string[] | undefined {
  const text = line.text.slice(from).trim()
  if (!text.startsWith('[')) return undefined
  const value = parsed(text)
  if (!Array.isArray(value)) return undefined
  const other = value.find((one) => typeof one !== 'string')
  if (other === undefined) return value
  const reason = `an array can hold only strings, and ${JSON.stringify(other)} is none`
  throw line.wrong(from, text.length, reason, 'put it into double quotes')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
