import { functionNames } from './go-functions.js'
import { type Segment, segmentsOf, type Token, templateError } from './go-tokens.js'
import { nearestWord } from './near-word.js'

/** A template as a tree. Positions count characters from 0. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range'
      readonly pipeline: Pipeline
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }

/** Commands, each of which gets the value of the one before as its last argument. */
export interface Pipeline {
  readonly at: number
  /** The variables before `:=` or `=`. */
  readonly assigns: readonly string[]
  readonly declares: boolean
  readonly commands: readonly (readonly [Expression, ...Expression[]])[]
}

export type Expression =
  | { readonly kind: 'literal'; readonly value: unknown; readonly at: number }
  | { readonly kind: 'dot'; readonly at: number }
  | { readonly kind: 'variable'; readonly name: string; readonly at: number }
  | { readonly kind: 'field'; readonly of: Expression; readonly name: string; readonly at: number }
  | { readonly kind: 'function'; readonly name: string; readonly at: number }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly at: number }

/** Reads a template. Throws `USAGE` with the position. Source: Go's text/template. */
export function parseTemplate(template: string): readonly Node[] {
  const parser = new Parser(template, segmentsOf(template))
  const { nodes } = parser.nodes()
  return nodes
}

const closers = ['end', 'else']
const blocks = ['if', 'with', 'range']
const unsupported = ['define', 'template', 'block', 'break', 'continue']

class Parser {
  readonly #template: string
  readonly #segments: Segment[]
  #tokens: Token[] = []
  #at = 0

  constructor(template: string, segments: Segment[]) {
    this.#template = template
    this.#segments = segments
  }

  /** Reads up to `{{end}}` or `{{else}}` of the block at `opened`, or to the end of the template. */
  nodes(opened?: Token): { nodes: Node[]; closer: string } {
    const nodes: Node[] = []
    for (let segment = this.#segments.shift(); segment; segment = this.#segments.shift()) {
      if (segment.kind === 'text') {
        nodes.push(segment)
        continue
      }
      this.#tokens = [...segment.tokens]
      this.#at = segment.at
      const [first] = segment.tokens
      if (first?.kind === 'word' && closers.includes(first.text)) {
        if (!opened) throw this.#error(first, `{{${first.text}}} closes nothing`)
        this.#tokens.shift()
        return { nodes, closer: first.text }
      }
      nodes.push(this.#action(first as Token))
    }
    if (opened) throw this.#error(opened, `{{${opened.text}}} has no {{end}}`)
    return { nodes, closer: '' }
  }

  #action(first: Token): Node {
    if (first.kind === 'word' && unsupported.includes(first.text))
      throw this.#error(first, `{{${first.text}}} is not supported`)
    if (first.kind !== 'word' || !blocks.includes(first.text))
      return { kind: 'action', pipeline: this.#pipelineToEnd() }
    this.#tokens.shift()
    return this.#block(first.text as 'if' | 'with' | 'range', first)
  }

  #block(kind: 'if' | 'with' | 'range', first: Token): Node {
    const pipeline = this.#pipelineToEnd()
    const { nodes: body, closer } = this.nodes(first)
    if (closer === 'end') return { kind, pipeline, body, otherwise: [] }
    const next = this.#tokens.shift()
    if (next?.kind === 'word' && blocks.includes(next.text))
      return { kind, pipeline, body, otherwise: [this.#block(next.text as 'if' | 'with', next)] }
    if (next) throw this.#error(next, `${next.text} has no meaning after else`)
    const { nodes: otherwise, closer: last } = this.nodes(first)
    if (last === 'else') throw this.#error(first, `{{${first.text}}} has two {{else}}`)
    return { kind, pipeline, body, otherwise }
  }

  #pipelineToEnd(): Pipeline {
    const pipeline = this.#pipeline()
    const [left] = this.#tokens
    if (left) throw this.#error(left, `${left.text} has no meaning here`)
    return pipeline
  }

  #pipeline(): Pipeline {
    const at = this.#tokens[0]?.at ?? this.#at
    const { assigns, declares } = this.#assignment()
    const commands = [this.#command(at)]
    while (this.#takes('|')) commands.push(this.#command(at))
    return { at, assigns, declares, commands }
  }

  /** `$x :=`, `$x =` or `$i, $x :=`. */
  #assignment(): { assigns: string[]; declares: boolean } {
    const [first, mark, second, sign] = this.#tokens
    const pair = mark?.text === ',' && second?.kind === 'variable'
    const equals = pair ? sign : mark
    if (first?.kind !== 'variable' || (equals?.text !== ':=' && equals?.text !== '='))
      return { assigns: [], declares: false }
    this.#tokens.splice(0, pair ? 4 : 2)
    return { assigns: pair ? [first.text, second.text] : [first.text], declares: equals.text === ':=' }
  }

  #command(at: number): readonly [Expression, ...Expression[]] {
    const head = this.#operand()
    if (!head) throw this.#error(this.#tokens[0] ?? { at }, 'a field, a function or a value is missing')
    const args: Expression[] = []
    for (let next = this.#operand(); next; next = this.#operand()) args.push(next)
    return [head, ...args]
  }

  #operand(): Expression | undefined {
    let operand = this.#term()
    while (operand && this.#tokens[0]?.kind === 'field' && this.#tokens[0].glued) {
      const { text, at } = this.#tokens.shift() as Token
      operand = { kind: 'field', of: operand, name: text.slice(1), at }
    }
    return operand
  }

  #term(): Expression | undefined {
    const [token] = this.#tokens
    if (!token) return undefined
    const { kind, text, at } = token
    if (kind === 'mark' && text !== '(' && text !== '.') return undefined
    this.#tokens.shift()
    if (kind === 'literal') return { kind, value: token.value, at }
    if (kind === 'variable') return { kind, name: text, at }
    if (kind === 'field') return { kind, of: { kind: 'dot', at }, name: text.slice(1), at }
    if (kind === 'word') return this.#function(token)
    if (text === '.') return { kind: 'dot', at }
    const pipeline = this.#pipeline()
    if (!this.#takes(')')) throw this.#error(token, '( is not closed')
    return { kind: 'pipeline', pipeline, at }
  }

  #function(token: Token): Expression {
    const { text: name, at } = token
    if (functionNames.includes(name)) return { kind: 'function', name, at }
    const near = nearestWord(name, functionNames)
    throw this.#error(token, `there is no function ${name}`, near && `did you mean ${near}?`)
  }

  #takes(mark: string): boolean {
    if (this.#tokens[0]?.kind !== 'mark' || this.#tokens[0].text !== mark) return false
    this.#tokens.shift()
    return true
  }

  #error({ at }: { at: number }, reason: string, hint?: string) {
    return templateError(this.#template, at, reason, hint)
  }
}
