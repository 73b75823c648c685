/**
 * How a flag takes its value. `optional-value` may stand alone (`--pull`) or carry a value after `=` (`--pull=never`);
 * `list` may be repeated; `choice` takes one of a closed set.
 */
export type FlagKind = 'boolean' | 'string' | 'number' | 'list' | 'optional-value' | 'choice'

/** A flag of a verb, made from one property of its options interface. */
export interface Flag {
  /** As it is typed, without the dashes: `cap-add`. */
  readonly name: string
  /** Other names of the same flag, without the dashes. */
  readonly also?: readonly string[]
  /** The property it fills: `capAdd`. */
  readonly key: string
  readonly kind: FlagKind
  /** Plain text with code in backticks. */
  readonly text: string
  readonly short?: string
  /** What stands for the value in help: `NAME=VALUE`. */
  readonly placeholder?: string
  readonly choices?: readonly string[]
  /** What holds when it is not given, as the documentation says it. */
  readonly default?: string
  /** True when `--no-<name>` is a flag of its own. */
  readonly negatable?: boolean
  /** True when it works and help does not show it. */
  readonly hidden?: boolean
}

/** What a word on the command line can be, for completion. */
export type Completes = 'container' | 'image' | 'file' | 'nothing'

/** A positional argument. */
export interface Positional {
  /** As help writes it: `CONTAINER`. */
  readonly name: string
  readonly text: string
  readonly optional?: boolean
  /** True when it takes any number of words; at most one positional of a verb does. */
  readonly many?: boolean
  readonly completes: Completes
}

/** The functions of a verb's module that the command line calls, by name. */
export type VerbModule = Readonly<Record<string, unknown>>

/**
 * Where a verb must run: in the namespace, anywhere (it touches metadata only), in the namespace that mounts hold, or in
 * the namespace with a session of its own.
 */
export type Where = 'inside' | 'outside' | 'holder' | 'session'

/** A verb, as the generator reads it from `sdk/verbs/`. */
export interface Verb {
  /** One word, or two for a member of a group: `manifest create`. */
  readonly name: string
  readonly aliases: readonly string[]
  /** One sentence. */
  readonly summary: string
  /** Further paragraphs. */
  readonly prose: readonly string[]
  /** What it throws, in sentences; empty when the documentation does not say. */
  readonly throws: string
  readonly where: Where
  readonly positionals: readonly Positional[]
  readonly flags: readonly Flag[]
  /** True when the last positional takes all words from its first on, flags among them. */
  readonly passthrough: boolean
  /** What it prints on standard output; empty when nothing. */
  readonly stdout: string
  readonly examples: readonly Example[]
  /** The exported function. */
  readonly call: string
  /** The module's file name without extension. */
  readonly file: string
  /** True when the module exports `present`. */
  readonly present: boolean
  readonly hidden: boolean
  /** True when it never opens a connection to another machine. */
  readonly offline: boolean
}

/** A piece of documentation that can be run. */
export interface Example {
  readonly language: 'sh' | 'ts'
  readonly code: string
}

/** A verb that can be started. */
export interface LoadableVerb extends Verb {
  readonly load: () => Promise<VerbModule>
}

/** Everything the command line knows. */
export interface VerbTable {
  readonly version: string
  /** Flags that every verb takes; they may also stand before the verb. */
  readonly globals: readonly Flag[]
  readonly verbs: readonly LoadableVerb[]
}

/** True for the kinds that cannot do without a value. */
export function takesValue({ kind }: Flag): boolean {
  return kind === 'string' || kind === 'number' || kind === 'list' || kind === 'choice'
}

/** A positional as a usage line shows it: `CONTAINER`, `[IMAGE]`, `[CONTAINER...]`. */
export function formatPositional({ name, optional, many }: Positional): string {
  const word = many ? `${name}...` : name
  return optional ? `[${word}]` : word
}

/** A flag as help shows it: `-e, --env NAME=VALUE`. */
export function formatFlag(flag: Flag): string {
  const { name, short, negatable } = flag
  const dashes = negatable ? `--[no-]${name}` : `--${name}`
  return `${short ? `-${short}, ` : ''}${dashes}${formatValue(flag)}`
}

/** What follows a flag's name in help, with what stands between: ` DIR`, `[=yes|no]`, or nothing. */
export function formatValue(flag: Flag): string {
  const { kind, placeholder, choices } = flag
  if (kind === 'boolean') return ''
  const short = choices && !hasManyChoices(flag) ? choices.join('|') : undefined
  const value = placeholder ?? short ?? (kind === 'number' ? 'NUMBER' : 'VALUE')
  return kind === 'optional-value' ? `[=${value}]` : ` ${value}`
}

/** True when the choices are too many to stand in the flag's name; help then lists them after the text. */
export function hasManyChoices({ choices = [], placeholder }: Flag): boolean {
  return choices.length > 0 && (placeholder !== undefined || choices.join('|').length > 20)
}

/** The usage line without the program's name: `run [FLAGS] CONTAINER COMMAND...`. */
export function formatUsage({ name, positionals }: Verb): string {
  return [name, '[FLAGS]', ...positionals.map(formatPositional)].join(' ')
}
