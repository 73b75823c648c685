/** What a registry asks for in WWW-Authenticate. Source: RFC 9110, section 11.6.1. */
export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Reads the challenges of a header, several in one too. What cannot be read is left out. */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = []
  for (const [, scheme, name, quoted, plain] of (header ?? '').slice(0, 16384).matchAll(part)) {
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), parameters: {} })
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1')
    const last = found.at(-1)
    if (last && name !== undefined && value !== undefined) last.parameters[name.toLowerCase()] = value
  }
  return found
}

// A scheme is a word before a parameter or at the end; a parameter is a word, an equals sign, a word or a quoted text.
const part = /([\w-]+)(?=\s+[\w-]+\s*=|\s*(?:,|$))|([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g
