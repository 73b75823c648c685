import { isTruthy, textOf } from './go-format.js'
import { callFunction, FunctionError } from './go-functions.js'
import { type Expression, type Node, type Pipeline, parseTemplate } from './go-syntax.js'
import { templateError } from './go-tokens.js'
import { nearestWord } from './near-word.js'
import { formatTable } from './table.js'

/**
 * Fills a template of Go's text/template, as `--format` of docker, podman and buildah takes it, from a value: fields,
 * `index`, `json`, `range`, `if`, `with`, variables, pipelines, comparison, `printf`, trimming with `{{-`. Outside of
 * actions `\n` and `\t` are a newline and a tab. A field that an object within does not have is `<no value>`.
 *
 * Throws `USAGE` for a template of the wrong form, for an unknown function, and for a field that the value itself does
 * not have, with the position.
 *
 * @example
 * ```ts
 * import { renderTemplate } from './go-template.js'
 * renderTemplate('{{.Name}}:{{join .Tags ","}}', { Name: 'web', Tags: ['1', '2'] }) // web:1,2
 * ```
 */
export function renderTemplate(template: string, value: unknown): string {
  const body = isTable(template) ? template.slice('table '.length) : template
  const run: Run = { template: body, root: value, variables: [new Map([['$', value]])] }
  return renderAll(parseTemplate(body), value, run)
}

/**
 * One line a row. A template that begins with `table ` gives aligned columns where it has `\t`, under headings made of
 * the fields' names (`.ContainerName` is CONTAINER NAME) or taken from `headings`. Throws as {@link renderTemplate}.
 */
export function renderRows(
  template: string,
  rows: readonly unknown[],
  headings: Readonly<Record<string, string>> = {},
): string {
  const lines = rows.map((row) => renderTemplate(template, row))
  if (!isTable(template)) return lines.join('\n')
  const head = template
    .slice('table '.length)
    .replace(/\{\{[^}]*?\.(\w+)[^}]*\}\}/g, (_, field: string) => headings[field] ?? headingOf(field))
    .replaceAll('\\t', '\t')
  return formatTable([head, ...lines].map((line) => line.split('\t')))
}

interface Run {
  readonly template: string
  readonly root: unknown
  /** The innermost scope last. */
  readonly variables: Map<string, unknown>[]
}

function isTable(template: string): boolean {
  return template.startsWith('table ')
}

function headingOf(field: string): string {
  return field.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toUpperCase()
}

function renderAll(nodes: readonly Node[], dot: unknown, run: Run): string {
  return nodes.map((node) => render(node, dot, run)).join('')
}

function render(node: Node, dot: unknown, run: Run): string {
  switch (node.kind) {
    case 'text':
      return node.text
    case 'action': {
      const value = evaluatePipeline(node.pipeline, dot, run)
      return node.pipeline.assigns.length > 0 ? '' : textOf(value)
    }
    case 'if':
    case 'with':
      return inScope(run, () => {
        const value = evaluatePipeline(node.pipeline, dot, run)
        if (!isTruthy(value)) return renderAll(node.otherwise, dot, run)
        return renderAll(node.body, node.kind === 'with' ? value : dot, run)
      })
    case 'range':
      return renderRange(node, dot, run)
  }
}

function renderRange(node: Extract<Node, { pipeline: Pipeline; body: unknown }>, dot: unknown, run: Run): string {
  const { pipeline, body, otherwise } = node
  const list = evaluateCommands(pipeline, dot, run)
  const entries = entriesOf(list, pipeline.at, run)
  if (entries.length === 0) return renderAll(otherwise, dot, run)
  const [first, second] = pipeline.assigns
  const rendered = entries.map(([key, value]) =>
    inScope(run, () => {
      if (first !== undefined) run.variables.at(-1)?.set(first, second === undefined ? value : key)
      if (second !== undefined) run.variables.at(-1)?.set(second, value)
      return renderAll(body, value, run)
    }),
  )
  return rendered.join('')
}

/** Go walks maps in the order of their keys. */
function entriesOf(list: unknown, at: number, run: Run): (readonly [unknown, unknown])[] {
  if (Array.isArray(list)) return list.map((value, i) => [i, value] as const)
  if (list === undefined || list === null) return []
  if (typeof list === 'object') return Object.entries(list).sort(([a], [b]) => (a < b ? -1 : 1))
  throw templateError(run.template, at, `range needs a list or a map, not ${textOf(list)}`)
}

function inScope(run: Run, task: () => string): string {
  run.variables.push(new Map())
  try {
    return task()
  } finally {
    run.variables.pop()
  }
}

function evaluatePipeline(pipeline: Pipeline, dot: unknown, run: Run): unknown {
  const value = evaluateCommands(pipeline, dot, run)
  const [name] = pipeline.assigns
  if (name === undefined) return value
  const scope = pipeline.declares ? run.variables.at(-1) : run.variables.findLast((variables) => variables.has(name))
  if (!scope) throw templateError(run.template, pipeline.at, `there is no variable ${name}`, `write ${name} := …`)
  scope.set(name, value)
  return value
}

function evaluateCommands({ commands }: Pipeline, dot: unknown, run: Run): unknown {
  let value: unknown
  for (const [i, [head, ...args]] of commands.entries()) {
    const given = args.map((one) => evaluate(one, dot, run))
    if (head.kind === 'function') value = call(head, i === 0 ? given : [...given, value], run)
    else if (args.length === 0 && i === 0) value = evaluate(head, dot, run)
    else throw templateError(run.template, head.at, 'only a function takes arguments', functionHint)
  }
  return value
}

const functionHint = 'write for example {{index .Labels "name"}} or {{json .Config}}'

function evaluate(it: Expression, dot: unknown, run: Run): unknown {
  switch (it.kind) {
    case 'literal':
      return it.value
    case 'dot':
      return dot
    case 'variable': {
      const scope = run.variables.findLast((variables) => variables.has(it.name))
      if (!scope) throw templateError(run.template, it.at, `there is no variable ${it.name}`)
      return scope.get(it.name)
    }
    case 'field':
      return fieldOf(evaluate(it.of, dot, run), it, run)
    case 'function':
      return call(it, [], run)
    case 'pipeline':
      return evaluatePipeline(it.pipeline, dot, run)
  }
}

function call({ name, at }: Extract<Expression, { kind: 'function' }>, args: readonly unknown[], run: Run): unknown {
  try {
    return callFunction(name, args)
  } catch (error) {
    if (error instanceof FunctionError) throw templateError(run.template, at, error.message)
    throw error
  }
}

/**
 * A field by its name; where there is none of that spelling, by the name that Go gives to a field of OCI's JSON:
 * `.RootFS.DiffIDs` is rootfs.diff_ids. The value that a template is for has a closed set of fields; within it objects
 * leave out what is empty.
 */
function fieldOf(value: unknown, { name, at }: Extract<Expression, { kind: 'field' }>, run: Run): unknown {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value))
    throw templateError(run.template, at, `.${name} is asked of ${textOf(value)}, which has no fields`)
  const object = value as Record<string, unknown>
  if (Object.hasOwn(object, name)) return object[name]
  const alike = Object.keys(object).find((key) => letters(key) === letters(name))
  if (alike !== undefined) return object[alike]
  if (value !== run.root) return undefined
  const known = Object.keys(object)
  const near = nearestWord(name, known)
  const hint = near === undefined ? `there are .${known.join(' .')}` : `did you mean .${near}?`
  throw templateError(run.template, at, `there is no field .${name}`, hint)
}

function letters(name: string): string {
  return name.replace(/[._-]/g, '').toLowerCase()
}
