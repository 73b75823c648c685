import { posix } from 'node:path'
import { BuilderError } from '../errors.js'
import { globSource, ignorePattern } from './ignore-pattern.js'

/**
 * The patterns of a .containerignore or .dockerignore file. Source: Docker build reference, ".dockerignore file":
 * Go's filepath.Match with `**`, a leading `!` brings back, the last pattern that fits a path or a folder above it decides, a
 * leading or trailing slash means nothing.
 */
export interface IgnoreRules {
  /** Whether a path (relative to the context, `/` between names) is left out. */
  readonly ignores: (path: string) => boolean
  /** Whether something below an ignored directory may come back, so that ignored ones have to be entered. */
  readonly mayComeBack: boolean
  /** The same for one ignored directory: often no pattern with `!` can fit in it. */
  readonly mayComeBackIn: (path: string) => boolean
  /** Whether everything is left out. */
  readonly leavesNothing: boolean
}

/**
 * Reads the patterns of an ignore file, a line each; lines that begin with `#` are comments. `file` names it in the error:
 * `INVALID` for a malformed pattern.
 */
export function parseIgnore(text: string, file = 'ignore file'): IgnoreRules {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  return rulesOf(
    lines.map((line) => (line.startsWith('#') ? '' : line)).map((line, n) => ({ text: line, at: `${file}:${n + 1}` })),
  )
}

/** The same from a list of patterns (`--exclude`). */
export function ignoreRules(patterns: readonly string[]): IgnoreRules {
  return rulesOf(patterns.map((text) => ({ text, at: JSON.stringify(text) })))
}

/** A line of an ignore file and how an error names it. */
interface Line {
  readonly text: string
  readonly at: string
}

function rulesOf(lines: readonly Line[]): IgnoreRules {
  const rules = lines.flatMap((line) => ruleOf(line) ?? [])
  const lastFor = (path: string) => rules.findLastIndex(({ fits }) => fits(path))
  return {
    ignores: (path) => rules[lastFor(path)]?.back === false,
    mayComeBack: rules.some(({ back }) => back),
    // What stands in front of the pattern that left the directory out cannot bring back what is in it.
    mayComeBackIn: (path) =>
      rules.slice(lastFor(path) + 1).some(({ back, lead }) => back && isOnTheWay(path.split('/'), lead)),
    leavesNothing: rules.some(({ text }) => /^(?:\*|\*\*|\*\*\/\*)$/.test(text)) && !rules.some(({ back }) => back),
  }
}

function isOnTheWay(names: readonly string[], lead: readonly string[]): boolean {
  return names.every((name, n) => n >= lead.length || name === lead[n])
}

function ruleOf({ text, at }: Line) {
  const trimmed = text.trim()
  const back = trimmed.startsWith('!')
  const written = back ? trimmed.slice(1).trim() : trimmed
  if (written === '') {
    if (!back) return undefined
    throw wrong(at, 'there is no pattern behind the !', 'write !PATTERN, or remove the line')
  }
  const cleaned = posix.normalize(written).replace(/^\//, '').replace(/\/$/, '')
  const pattern = ignorePattern(cleaned)
  if (!pattern)
    throw wrong(at, `the pattern ${written} is malformed`, 'close the [ with ], or write \\[ for a plain one')
  return { text: cleaned, back, ...pattern }
}

function wrong(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'ignore', object, reason, hint })
}

/** A glob as a regular expression that fits the whole path: `*` and `?` stay within a name, `**` does not. */
export function globRegExp(glob: string): RegExp {
  return new RegExp(`^${globSource(glob) ?? glob.replace(/[.+^${}()|[\]\\*?/-]/g, '\\$&')}$`, 'su')
}

export function isGlob(path: string): boolean {
  return /[*?[\\]/.test(path)
}
