import { errorAt } from './point-at.js'
import type { SourceText } from './source-text.js'
import type { Directives } from './syntax.js'

/**
 * Reads the parser directives on top of a file: `# name=value` lines in front of anything else, even of another comment.
 * Also says how many lines they take. A line `#!…` may stand in front of them; after it `escape` has no effect, as in the reference.
 * Source: Dockerfile reference, "Parser directives".
 */
export function readDirectives(source: SourceText, lines: readonly string[]): Directives & { readonly lines: number } {
  const found = new Map<string, string>()
  const hasInterpreter = lines[0]?.startsWith('#!') ?? false
  let line = hasInterpreter ? 1 : 0
  for (; line < lines.length; line++) {
    const [, name = '', value = ''] = /^\s*#\s*([a-z][a-z0-9]*)\s*=\s*(.*)$/is.exec(lines[line] ?? '') ?? []
    const key = name.toLowerCase()
    if (!known.has(key) || value.trim() === '') break
    if (found.has(key)) throw wrong(source, line, `the directive ${key} is given twice`, 'keep one of them')
    if (key === 'escape' && !/^[\\`]$/.test(value.trim()))
      throw wrong(source, line, `${value.trim()} cannot be the escape character`, 'write \\ or `')
    found.set(key, value.trim())
  }
  const [syntax, check] = [found.get('syntax')?.split(' ', 1)[0], found.get('check')]
  return {
    escape: found.get('escape') === '`' && !hasInterpreter ? '`' : '\\',
    ...(syntax === undefined ? {} : { syntax }),
    ...(check === undefined ? {} : { check }),
    lines: line,
  }
}

const known = new Set(['syntax', 'escape', 'check'])

function wrong(source: SourceText, line: number, reason: string, hint: string) {
  return errorAt(source.positionOf(line + 1), { reason, hint })
}
