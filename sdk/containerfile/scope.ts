import { automaticArguments, type BuildArguments, proxyArguments } from './arguments.js'
import { expandWord, expandWords } from './expand.js'
import type { ArgInstruction, Containerfile, Position } from './syntax.js'

/** The ARGs that hold at a place of the file. An edit gives a new one. */
export interface Scope {
  /** Values by name. */
  readonly values: ReadonlyMap<string, string>
  /** Names that were declared, with or without a value. */
  readonly declared: ReadonlySet<string>
  /** What a declaration without a value takes over: the global ARGs and the platform ones. */
  readonly inherited: ReadonlyMap<string, string>
  readonly given: ReadonlyMap<string, string>
  /** The file's escape character. */
  readonly escape: '\\' | '`'
}

/** What can be used in FROM: the platform arguments and the ARGs in front of the first FROM. */
export function globalScope({ args, directives }: Containerfile, options: BuildArguments): Scope {
  const automatic = automaticArguments(options)
  const start: Scope = {
    values: automatic,
    declared: new Set(),
    inherited: new Map(),
    given: options.given,
    escape: directives.escape,
  }
  return args.reduce((scope, instruction) => declare(scope, instruction, []), start)
}

/** What holds at the beginning of a stage: nothing is declared yet. */
export function stageScope(globals: Scope): Scope {
  return { ...globals, values: new Map(), declared: new Set(), inherited: globals.values }
}

/**
 * The scope after an ARG. What was given decides, then the default, then the global ARG of that name. ENV variables can be
 * used in the default.
 */
export function declare(scope: Scope, { args, position }: ArgInstruction, env: readonly string[]): Scope {
  const values = new Map(scope.values)
  const declared = new Set(scope.declared)
  for (const { name, value } of args) {
    const now = { ...scope, values }
    const fallback = value === undefined ? scope.inherited.get(name) : expandIn(value, now, position, env)
    const chosen = scope.given.get(name) ?? fallback
    if (chosen !== undefined) values.set(name, chosen)
    declared.add(name)
  }
  return { ...scope, values, declared }
}

/** A text with its variables replaced and its quotes taken off; `env` has precedence over the ARGs. */
export function expandIn(text: string, scope: Scope, position: Position, env: readonly string[] = []): string {
  if (!/[$\\'"`]/.test(text)) return text
  return expandWord(text, variablesOf(scope, env), { escape: scope.escape, position })
}

/** The same, split at blanks that no quote protects. */
export function expandToWords(
  text: string,
  scope: Scope,
  position: Position,
  env: readonly string[],
): readonly string[] {
  return expandWords(text, variablesOf(scope, env), { escape: scope.escape, position })
}

/** The body of a heredoc: quotes are ordinary characters in it. */
export function expandBody(text: string, scope: Scope, position: Position, env: readonly string[]): string {
  return expandWord(text, variablesOf(scope, env), { escape: scope.escape, position, quotes: false })
}

/** Looks a variable up as an instruction sees it. */
function variablesOf(scope: Scope, env: readonly string[]): (name: string) => string | undefined {
  const own = new Map(env.map((entry) => [entry.slice(0, Math.max(0, entry.indexOf('='))), entry]))
  return (name) => {
    const entry = own.get(name)
    return entry === undefined ? scope.values.get(name) : entry.slice(name.length + 1)
  }
}

/** NAME=value of the ARGs that a command sees: those that were declared and have a value, where no ENV hides them. */
export function argumentsFor(scope: Scope, env: readonly string[]): readonly string[] {
  const hidden = new Set(env.map((entry) => entry.split('=', 1)[0]))
  return [...scope.values]
    .filter(([name]) => scope.declared.has(name) && !hidden.has(name))
    .map(([name, value]) => `${name}=${value}`)
}

/** NAME=value of the proxies that were given and that no ARG declares: they are seen, and decide nothing. */
export function proxiesFor(scope: Scope): readonly string[] {
  return [...scope.given]
    .filter(([name]) => proxyArguments.has(name) && !scope.declared.has(name))
    .map(([name, value]) => `${name}=${value}`)
}
