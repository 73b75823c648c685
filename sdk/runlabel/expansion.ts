/** What a `$` in a label is. */
export type Expansion =
  | { readonly kind: 'variable' | 'text'; readonly text: string; readonly next: number }
  | { readonly kind: 'refused'; readonly reason: string }

/** Reads `$NAME` or `${…}` where a `$` stands. Before what is no name a `$` is plain text, as in a shell. */
export function expansionAt(text: string, at: number, isQuoted: boolean): Expansion {
  const next = text[at + 1] ?? ''
  if (next === '(') return { kind: 'refused', reason: '$( asks a shell to execute a command' }
  if (next === '{') return braced(text, at)
  if (!isQuoted && (next === "'" || next === '"')) return { kind: 'refused', reason: `$${next} is of one shell only` }
  if (/[0-9@*#?$!-]/.test(next)) return { kind: 'refused', reason: `$${next} is known to a shell only` }
  const [name] = /^[A-Za-z_]\w*/.exec(text.slice(at + 1, at + 257)) ?? []
  if (name === undefined) return { kind: 'text', text: '$', next: at + 1 }
  return { kind: 'variable', text: name, next: at + 1 + name.length }
}

function braced(text: string, at: number): Expansion {
  let depth = 0
  for (let i = at; i < text.length; i++) {
    const c = text[i] as string
    if (c === '$' && text[i + 1] === '{') {
      if (++depth > deepest) return { kind: 'refused', reason: `it holds more than ${deepest} \${ in each other` }
    } else if (c === '}' && --depth === 0) return { kind: 'variable', text: text.slice(at + 2, i), next: i + 1 }
    else if (/['"`\\\n]/.test(c)) return { kind: 'refused', reason: `quotes inside \${…} are not known here` }
  }
  return { kind: 'refused', reason: `a \${ is not closed` }
}

const deepest = 8

/** `NAME` or `NAME:-default` taken apart; undefined for what else a shell knows. */
export function parseVariable(text: string): { name: string; fallback?: string; isForEmpty: boolean } | undefined {
  const [, name, colon, dash, fallback] = /^([A-Za-z_]\w*)(?:(:?)(-)(.*))?$/s.exec(text) ?? []
  if (name === undefined) return undefined
  return dash === undefined
    ? { name, isForEmpty: false }
    : { name, fallback: fallback ?? '', isForEmpty: colon === ':' }
}
