import { posix } from 'node:path'
import { nearestWord } from '../image/near-word.js'
import type { Lookup } from './expand.js'
import { expandedParts } from './expanded-parts.js'
import { baseOf, type Finding, type LintOptions } from './finding.js'
import { type LintExpand, lintExpand } from './lint-expand.js'
import { type Globals, globalsOf } from './lint-globals.js'
import type { ArgInstruction, Containerfile, Instruction, Stage } from './syntax.js'

/** Rules that follow the variables of a file: what is used and not set, and what expanded texts come to. */
export function lintVariables(file: Containerfile, options: LintOptions): readonly Finding[] {
  const given = options.given ?? new Map()
  const expand = lintExpand(options)
  const build = { given, expand, globals: globalsOf(file, given, expand), escape: file.directives.escape, options }
  const ends: Known[] = []
  return file.stages.flatMap((stage) => {
    const base = baseOf(stage, file.stages)
    const known = copied(base && ends[base.index]) ?? beginning(stage, build)
    const findings = stage.instructions.flatMap((at) => judge(at, known, build))
    ends.push(known)
    return findings
  })
}

/** What holds for the whole file. */
interface Build {
  readonly given: ReadonlyMap<string, string>
  readonly globals: Globals
  readonly expand: LintExpand
  readonly escape: '\\' | '`'
  readonly options: LintOptions
}

/** What is known of the variables at a place. */
interface Known {
  readonly env: Map<string, string>
  /** ARGs without a value are declared all the same. */
  readonly declared: Set<string>
  /** False below an image that nobody looked into: its ENV may set anything. */
  readonly isComplete: boolean
  hasWorkdir: boolean
}

function copied(known: Known | undefined): Known | undefined {
  return known && { ...known, env: new Map(known.env), declared: new Set(known.declared) }
}

function beginning({ from }: Stage, { globals, expand, options }: Build): Known {
  const image = expand.word(from.image, (name) => globals.get(name), { position: from.position })
  const env = image === 'scratch' ? [] : image && options.environmentOf?.(image)
  // Every image has a PATH, scratch too.
  const pairs = ['PATH=', ...(env || [])].map(
    (entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)] as const,
  )
  return { env: new Map(pairs), declared: new Set(), isComplete: Array.isArray(env), hasWorkdir: false }
}

function judge(at: Instruction, known: Known, build: Build): readonly Finding[] {
  const { expand } = build
  const missing = new Set<string>()
  const lookup = (name: string) => {
    const value = known.env.get(name)
    if (value === undefined && !known.declared.has(name)) missing.add(name)
    return value
  }
  const options = { escape: build.escape, position: at.position }
  if (at.instruction === 'ARG') declare(at, known, build, lookup)
  else
    for (const { text, isHeredoc } of expandedParts(at)) expand.word(text, lookup, { ...options, quotes: !isHeredoc })
  const findings = [
    ...[...missing].flatMap((name) => undefinedVariable(name, at, known)),
    ...(at.instruction === 'WORKDIR' ? workdir(expand.word(at.value, lookup, options), at, known) : []),
    ...(at.instruction === 'EXPOSE'
      ? at.values.flatMap((value) => expand.words(value, lookup, options)).flatMap((port) => exposed(port, at))
      : []),
  ]
  if (at.instruction === 'ENV') {
    const pairs = at.pairs.map((pair) => [pair.name, pair.value].map((text) => expand.word(text, lookup, options)))
    for (const [name = '', value = ''] of pairs) known.env.set(name, value)
  }
  return findings
}

/** What was given decides; then the default is not even looked at. */
function declare(at: ArgInstruction, known: Known, build: Build, lookup: Lookup): void {
  for (const { name, value } of at.args) {
    const options = { escape: build.escape, position: at.position }
    const fallback = () => (value === undefined ? build.globals.get(name) : build.expand.word(value, lookup, options))
    const is = build.given.get(name) ?? fallback()
    if (is !== undefined) known.env.set(name, is)
    known.declared.add(name)
  }
}

/** Below an image that nobody looked into only what looks like a slip is told. */
function undefinedVariable(name: string, at: Instruction, { env, declared, isComplete }: Known): readonly Finding[] {
  const names = [...new Set([...env.keys(), ...declared])].filter((one) => isComplete || one !== 'PATH')
  const near = nearestWord(name, names)
  if (!isComplete && near === undefined) return []
  const suggestion = near === undefined ? '' : ` (did you mean $${near}?)`
  return [{ rule: 'UndefinedVar', message: `Usage of undefined variable '$${name}'${suggestion}`, at }]
}

/** Only the first of a stage: one that is absolute makes the others right. */
function workdir(path: string | undefined, at: Instruction, known: Known): readonly Finding[] {
  const isFirst = !known.hasWorkdir
  known.hasWorkdir = true
  if (!isFirst || path === undefined || posix.isAbsolute(path)) return []
  const message = `Relative workdir "${path}" can have unexpected results if the base image changes`
  return [{ rule: 'WorkdirRelativePath', message, at }]
}

function exposed(port: string, at: Instruction): readonly Finding[] {
  const [place = '', protocol = ''] = port.split('/')
  const instead = 'EXPOSE instruction should not define an IP address or host-port mapping'
  return [
    ...(protocol !== protocol.toLowerCase()
      ? [
          {
            rule: 'ExposeProtoCasing',
            message: `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
            at,
          },
        ]
      : []),
    ...(place.includes(':') ? [{ rule: 'ExposeInvalidFormat', message: `${instead}, found '${port}'`, at }] : []),
  ]
}
