import { posix } from 'node:path'
import { nearestWord } from '../image/near-word.js'
import { type ExpandOptions, expandWord, expandWords } from './expand.js'
import { expandedParts } from './expanded-parts.js'
import { baseOf, type Finding, type LintOptions } from './finding.js'
import { type Globals, globalsOf } from './lint-globals.js'
import type { ArgInstruction, Containerfile, Instruction, Stage } from './syntax.js'

/** Rules that follow the variables of a file: what is used and not set, and what expanded texts come to. */
export function lintVariables(file: Containerfile, options: LintOptions): readonly Finding[] {
  const globals = globalsOf(file)
  const ends: Known[] = []
  return file.stages.flatMap((stage) => {
    const base = baseOf(stage, file.stages)
    const inherited = base && ends[base.index]
    const known = inherited ? { ...inherited, env: new Map(inherited.env) } : beginning(stage, globals, options)
    const findings = stage.instructions.flatMap((at) => judge(at, known, globals, file.directives.escape))
    ends.push(known)
    return findings
  })
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

function beginning({ from }: Stage, globals: Globals, options: LintOptions): Known {
  const image = expandWord(from.image, (name) => globals.get(name), { position: from.position })
  const env = image === 'scratch' ? [] : options.environmentOf?.(image)
  // Every image has a PATH, scratch too.
  const pairs = ['PATH=', ...(env ?? [])].map(
    (entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)] as const,
  )
  return { env: new Map(pairs), declared: new Set(), isComplete: env !== undefined, hasWorkdir: false }
}

function judge(at: Instruction, known: Known, globals: Globals, escapeChar: '\\' | '`'): readonly Finding[] {
  const missing = new Set<string>()
  const lookup = (name: string) => {
    const value = known.env.get(name)
    if (value === undefined && !known.declared.has(name)) missing.add(name)
    return value
  }
  const options = { escape: escapeChar, position: at.position }
  if (at.instruction === 'ARG') declare(at, known, globals, lookup, options)
  else
    for (const { text, isHeredoc } of expandedParts(at))
      expandWord(text, lookup, isHeredoc ? { position: at.position, quotes: false } : options)
  const findings = [
    ...[...missing].flatMap((name) => undefinedVariable(name, at, known)),
    ...(at.instruction === 'WORKDIR' ? workdir(expandWord(at.value, lookup, options), at, known) : []),
    ...(at.instruction === 'EXPOSE'
      ? at.values.flatMap((value) => expandWords(value, lookup, options)).flatMap((port) => exposed(port, at))
      : []),
  ]
  if (at.instruction === 'ENV') {
    const pairs = at.pairs.map((pair) => [pair.name, pair.value].map((text) => expandWord(text, lookup, options)))
    for (const [name = '', value = ''] of pairs) known.env.set(name, value)
  }
  return findings
}

function declare(
  { args }: ArgInstruction,
  known: Known,
  globals: Globals,
  lookup: (name: string) => string | undefined,
  options: ExpandOptions,
): void {
  for (const { name, value } of args) {
    const is = value === undefined ? globals.get(name) : expandWord(value, lookup, options)
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
function workdir(path: string, at: Instruction, known: Known): readonly Finding[] {
  const isFirst = !known.hasWorkdir
  known.hasWorkdir = true
  if (!isFirst || posix.isAbsolute(path)) return []
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
