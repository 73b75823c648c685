import { errorAt } from './point-at.js'
import { argumentsFor, expandIn, proxiesFor } from './scope.js'
import { envOf, type Situation, shellOf } from './situation.js'
import type { Heredoc, RunInstruction } from './syntax.js'

/** A RUN, worked out. */
export interface RunOutcome {
  readonly kind: 'run'
  readonly by: string
  readonly argv: readonly string[]
  /** NAME=value of ARGs: they are part of what decides the result. */
  readonly args: readonly string[]
  /** NAME=value of proxies: they are not. */
  readonly proxies: readonly string[]
  /** As written, variables replaced. */
  readonly mounts: readonly string[]
  readonly network?: string
  readonly security?: string
  readonly device: readonly string[]
  /** A heredoc that begins with `#!`: a program of its own. */
  readonly script?: { readonly path: string; readonly content: string }
}

/** Works a RUN out. Throws `INVALID`. */
export function evaluateRun(instruction: RunInstruction, { config, scope }: Situation): RunOutcome {
  const { position, mounts, network, security, device } = instruction
  const env = envOf(config)
  const args = argumentsFor(scope, env)
  const { argv, script } = commandOf(instruction, shellOf(config.config))
  return {
    kind: 'run',
    argv,
    args,
    proxies: proxiesFor(scope),
    mounts: mounts.map((mount) => expandIn(mount, scope, position, env)),
    device: device ?? [],
    ...(network === undefined ? {} : { network: expandIn(network, scope, position, env) }),
    ...(security === undefined ? {} : { security: expandIn(security, scope, position, env) }),
    ...(script ? { script } : {}),
    by: told(args, argv, script?.content),
  }
}

/**
 * The words to execute. A heredoc alone is a script for the stage's shell, or a program when it begins with `#!`; behind
 * other words it is the shell's own business, as it stands. Source: Dockerfile reference, "Here-Documents".
 */
function commandOf({ command, heredocs, position }: RunInstruction, shell: readonly string[]) {
  const [first] = heredocs
  if (command.form === 'exec') {
    if (command.words.length > 0) return { argv: command.words }
    throw errorAt(position, { operation: 'build', reason: 'RUN has no command', hint: 'write RUN COMMAND' })
  }
  if (!first) return { argv: [...shell, command.line] }
  if (!isHeredocAlone(command.line)) return { argv: [...shell, [command.line, ...heredocs.map(asWritten)].join('\n')] }
  if (!first.content.startsWith('#!')) return { argv: [...shell, first.content] }
  const path = `/dev/pipes/${first.name}`
  return { argv: [path], script: { path, content: first.content } }
}

function isHeredocAlone(line: string): boolean {
  return /^\s*\d*<<-?\s*(['"]?)[^\s'"<>]+\1\s*$/.test(line)
}

/** Tabs that `<<-` takes away are gone already, and the shell takes away no others. */
function asWritten({ name, content }: Heredoc): string {
  return `${content}${name}`
}

/** As the field's histories tell a command: the arguments that it saw, then its words. */
function told(args: readonly string[], argv: readonly string[], script: string | undefined): string {
  const before = args.length > 0 ? `|${args.length} ${args.join(' ')} ` : ''
  return `${before}${argv.join(' ')}${script === undefined ? '' : ` <<\n${script}`}`
}
