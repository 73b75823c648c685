/**
 * The patterns of a .containerignore or .dockerignore file. Source: Docker build reference, ".dockerignore file":
 * Go's filepath.Match with `**`, a leading `!` brings back, the last pattern that fits decides, a leading or trailing
 * slash means nothing.
 */
export interface IgnoreRules {
  /** Whether a path (relative to the context, `/` between names) is left out. */
  readonly ignores: (path: string) => boolean
  /** Whether something below an ignored directory may come back, so that it has to be entered. */
  readonly mayComeBack: boolean
}

/** Reads the patterns of an ignore file, a line each; lines that begin with `#` are comments. */
export function parseIgnore(text: string): IgnoreRules {
  return ignoreRules(
    text
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/)
      .filter((line) => !line.startsWith('#')),
  )
}

/** The same from a list of patterns (`--exclude`). */
export function ignoreRules(patterns: readonly string[]): IgnoreRules {
  const rules = patterns.map((pattern) => pattern.trim()).flatMap((pattern) => ruleOf(pattern) ?? [])
  return {
    ignores: (path) => rules.reduce((ignored, { regexp, back }) => (regexp.test(path) ? !back : ignored), false),
    mayComeBack: rules.some(({ back }) => back),
  }
}

function ruleOf(pattern: string): { regexp: RegExp; back: boolean } | undefined {
  const back = pattern.startsWith('!')
  const bare = (back ? pattern.slice(1).trim() : pattern).replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '')
  if (bare === '') return undefined
  return { regexp: new RegExp(`^${globSource(bare)}(?:/.*)?$`, 's'), back }
}

/** A glob as a regular expression that fits the whole path: `*` and `?` stay within a name, `**` does not. */
export function globRegExp(glob: string): RegExp {
  return new RegExp(`^${globSource(glob)}$`, 's')
}

export function isGlob(path: string): boolean {
  return /[*?[\\]/.test(path)
}

function globSource(glob: string): string {
  const tokens = glob.match(/\*\*\/|\*\*|\*|\?|\[\^?\]?[^\]]*\]|\\[\s\S]|[\s\S]/g) ?? []
  return tokens.map(tokenSource).join('')
}

function tokenSource(token: string): string {
  if (token === '**/') return '(?:.*/)?'
  if (token === '**') return '.*'
  if (token === '*') return '[^/]*'
  if (token === '?') return '[^/]'
  if (token.length > 1 && token.startsWith('[')) return token.replace(/\\(?![\]\\^-])/g, '\\\\')
  return (token.length > 1 ? token.slice(1) : token).replace(/[.+^${}()|[\]\\*?/-]/g, '\\$&')
}
