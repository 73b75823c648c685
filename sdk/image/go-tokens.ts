import { BuilderError } from '../errors.js'

/** A piece of a template: text as it is, or the tokens of one action. Positions count characters from 0. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly at: number }

/** A token within `{{ }}`. `glued` is true when no white space stands before it. */
export interface Token {
  readonly kind: 'word' | 'field' | 'variable' | 'literal' | 'mark'
  readonly text: string
  readonly value?: string | number | boolean | null
  readonly at: number
  readonly glued: boolean
}

/**
 * Takes a template apart. Source: Go's text/template, "Actions" and "Text and spaces"; in text, `\n` and `\t` are a
 * newline and a tab, as docker and podman read them. Throws `USAGE`.
 */
export function segmentsOf(template: string): Segment[] {
  const segments: Segment[] = []
  let at = 0
  let trimsNext = false
  while (at < template.length) {
    const open = template.indexOf('{{', at)
    const text = withEscapes(template.slice(at, open < 0 ? undefined : open))
    const kept = trimsNext ? text.trimStart() : text
    if (open < 0) return [...segments, { kind: 'text', text: kept }]
    const trims = /^-\s/.test(template.slice(open + 2, open + 4))
    segments.push({ kind: 'text', text: trims ? kept.trimEnd() : kept })
    const action = readAction(template, open, open + (trims ? 3 : 2))
    if (action.tokens.length > 0) segments.push({ kind: 'action', tokens: action.tokens, at: open })
    trimsNext = action.trims
    at = action.end
  }
  return segments
}

/** An error in a template, with the position people count from 1. */
export function templateError(template: string, at: number, reason: string, hint?: string): BuilderError {
  const parts = { operation: 'read template', object: template, reason: `at character ${at + 1}: ${reason}` }
  return new BuilderError('USAGE', hint ? { ...parts, hint } : parts)
}

function withEscapes(text: string): string {
  return text.replace(/\\([nt])/g, (_, c: string) => (c === 'n' ? '\n' : '\t'))
}

function readAction(template: string, open: number, start: number) {
  const comment = /^\s*\/\*[\s\S]*?\*\/(\s-)?\}\}/.exec(template.slice(start))
  if (comment) return { tokens: [], trims: comment[1] !== undefined, end: start + comment[0].length }
  const tokens: Token[] = []
  let at = start
  for (;;) {
    const [space] = /^\s*/.exec(template.slice(at)) as RegExpExecArray
    at += space.length
    const rest = template.slice(at)
    if (rest === '') throw templateError(template, open, '{{ is not closed', 'close it with }}')
    if (rest.startsWith('}}')) return { tokens, trims: false, end: at + 2 }
    if (space !== '' && rest.startsWith('-}}')) return { tokens, trims: true, end: at + 3 }
    const token = readToken(template, at, space === '')
    tokens.push(token)
    at += token.text.length
  }
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['literal', /^"(?:[^"\\\n]|\\.)*"|^`[^`]*`|^'(?:[^'\\\n]|\\.)'|^[+-]?\d[\w.]*/],
  ['variable', /^\$\w*/],
  ['field', /^\.[A-Za-z_]\w*/],
  ['word', /^[A-Za-z_]\w*/],
  ['mark', /^(?::=|[=|(),.])/],
]

function readToken(template: string, at: number, glued: boolean): Token {
  const rest = template.slice(at)
  for (const [kind, pattern] of patterns) {
    const text = pattern.exec(rest)?.[0]
    if (text === undefined) continue
    if (kind === 'literal') return { kind, text, value: literalOf(template, text, at), at, glued }
    const value = constants.get(text)
    return value === undefined ? { kind, text, at, glued } : { kind: 'literal', text, value, at, glued }
  }
  const c = rest.charAt(0)
  if (c === '"' || c === '`') throw templateError(template, at, `${c} is not closed`)
  throw templateError(template, at, `${JSON.stringify(c)} has no meaning here`)
}

const constants: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['nil', null],
])

function literalOf(template: string, text: string, at: number): string | number {
  const first = text[0] as string
  if (first === '`') return text.slice(1, -1)
  if (first === "'") return unquote(text).codePointAt(0) ?? 0
  if (first === '"') return unquote(text)
  const number = Number(text.replaceAll('_', ''))
  if (Number.isNaN(number)) throw templateError(template, at, `${text} is not a number`)
  return number
}

/** Source: The Go Programming Language Specification, "String literals". */
function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3}|.)/gs, (_, sign: string) => {
    if (/^[xu]./.test(sign)) return String.fromCharCode(Number.parseInt(sign.slice(1), 16))
    if (/^[0-7]{3}$/.test(sign)) return String.fromCharCode(Number.parseInt(sign, 8))
    return { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }[sign] ?? sign
  })
}
