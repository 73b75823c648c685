import type { ExecutionConfig, Healthcheck, ImageConfig } from '../image/config.js'
import { errorAt } from './point-at.js'
import { expandIn, expandToWords } from './scope.js'
import { envOf, type Situation, shellOf } from './situation.js'
import type {
  ArgInstruction,
  CommandLine,
  HealthcheckInstruction,
  Instruction,
  PlaceInstruction,
  Position,
  RunInstruction,
} from './syntax.js'

/** An instruction that changes nothing but the configuration. */
export type ConfigInstruction = Exclude<Instruction, ArgInstruction | RunInstruction | PlaceInstruction>

/** What it changes, and what the history says of it. */
export interface ConfigChange {
  readonly changes: ExecutionConfig
  readonly said: string
  readonly author?: string
}

/** Works out an instruction that changes the configuration. Source: Dockerfile reference. Throws `INVALID`. */
export function evaluateConfig(instruction: ConfigInstruction, situation: Situation): ConfigChange {
  const { scope } = situation
  const config = situation.config.config ?? {}
  const { position } = instruction
  const env = envOf(situation.config)
  const expand = (text: string) => expandIn(text, scope, position, env)
  switch (instruction.instruction) {
    case 'ENV': {
      const pairs = instruction.pairs.map(({ name, value }) => [expand(name), expand(value)] as const)
      return { changes: { Env: withVariables(env, pairs) }, said: `ENV ${said(pairs)}` }
    }
    case 'LABEL': {
      const pairs = instruction.pairs.map(({ name, value }) => [expand(name), expand(value)] as const)
      return { changes: { Labels: { ...config.Labels, ...Object.fromEntries(pairs) } }, said: `LABEL ${said(pairs)}` }
    }
    case 'CMD':
      return command('CMD', 'Cmd', instruction.command, shellOf(config))
    case 'ENTRYPOINT': {
      const { changes, said: text } = command('ENTRYPOINT', 'Entrypoint', instruction.command, shellOf(config))
      // What the base image says of CMD was for its own entry point.
      return { changes: situation.hasCommand ? changes : { ...changes, Cmd: [] }, said: text }
    }
    case 'SHELL':
      return { changes: { Shell: instruction.words }, said: `SHELL ${JSON.stringify(instruction.words)}` }
    case 'EXPOSE': {
      const ports = instruction.values.flatMap((value) => expandToWords(value, scope, position, env))
      const added = ports.flatMap((port) => portsOf(port, position))
      return { changes: { ExposedPorts: set(config.ExposedPorts, added) }, said: `EXPOSE ${added.join(' ')}` }
    }
    case 'VOLUME': {
      const paths = instruction.values.map(expand)
      if (paths.includes('')) throw wrong(position, 'a volume has no path', 'write VOLUME /path')
      return { changes: { Volumes: set(config.Volumes, paths) }, said: `VOLUME ${JSON.stringify(paths)}` }
    }
    case 'USER': {
      const User = expand(instruction.value)
      if (User === '') throw wrong(position, 'the name of the user is empty', 'write USER NAME, or USER 0')
      return { changes: { User }, said: `USER ${User}` }
    }
    case 'STOPSIGNAL': {
      const StopSignal = expand(instruction.value)
      if (!/^(?:SIG)?[A-Z]+[A-Z0-9]*(?:[+-]\d+)?$|^\d{1,2}$/i.test(StopSignal))
        throw wrong(position, `${StopSignal || '""'} is not a signal`, 'write for example STOPSIGNAL SIGTERM')
      return { changes: { StopSignal }, said: `STOPSIGNAL ${StopSignal}` }
    }
    case 'ONBUILD':
      return {
        changes: { OnBuild: [...(config.OnBuild ?? []), instruction.value] },
        said: `ONBUILD ${instruction.value}`,
      }
    case 'MAINTAINER':
      return { changes: {}, said: `MAINTAINER ${instruction.value}`, author: instruction.value }
    case 'HEALTHCHECK':
      return healthcheck(instruction, shellOf(config))
    case 'WORKDIR':
      throw new TypeError('WORKDIR is more than configuration')
  }
}

/** A configuration with changes; what is empty is left out, as `builder config` does. */
export function withExecution(image: ImageConfig, changes: ExecutionConfig): ImageConfig {
  const entries = Object.entries({ ...image.config, ...changes }).filter(([, value]) => !isEmpty(value))
  return { ...image, config: Object.fromEntries(entries) }
}

/** NAME=value with some set: those that are there keep their place. */
export function withVariables(
  env: readonly string[],
  pairs: readonly (readonly [string, string])[],
): readonly string[] {
  const variables = new Map(env.map((entry) => [entry.split('=', 1)[0] as string, entry]))
  for (const [name, value] of pairs) variables.set(name, `${name}=${value}`)
  return [...variables.values()]
}

function command(word: string, key: 'Cmd' | 'Entrypoint', line: CommandLine, shell: readonly string[]): ConfigChange {
  const words = line.form === 'exec' ? line.words : [...shell, line.line]
  return { changes: { [key]: words }, said: `${word} ${JSON.stringify(words)}` }
}

function healthcheck(instruction: HealthcheckInstruction, shell: readonly string[]): ConfigChange {
  const { command: line, position, retries } = instruction
  if (!line) return { changes: { Healthcheck: { Test: ['NONE'] } }, said: 'HEALTHCHECK NONE' }
  const isDefault = shell.join('\0') === '/bin/sh\0-c'
  const Test =
    line.form === 'exec' ? ['CMD', ...line.words] : isDefault ? ['CMD-SHELL', line.line] : ['CMD', ...shell, line.line]
  const times = (
    [
      ['Interval', 'interval'],
      ['Timeout', 'timeout'],
      ['StartPeriod', 'startPeriod'],
      ['StartInterval', 'startInterval'],
    ] as const
  ).flatMap(([key, option]) => {
    const text = instruction[option]
    return text === undefined ? [] : [[key, nanoseconds(text, option, position)] as const]
  })
  const Healthcheck: Healthcheck = {
    Test,
    ...Object.fromEntries(times.filter(([, value]) => value > 0)),
    ...(retries === undefined ? {} : { Retries: count(retries, position) }),
  }
  return { changes: { Healthcheck }, said: `HEALTHCHECK ${JSON.stringify(Test)}` }
}

/** Go's durations: `30s`, `1m30s`, `500ms`. At least a millisecond, or 0. */
function nanoseconds(text: string, option: string, position: Position): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)]
  const whole = parts.map(([part]) => part).join('') === text && text !== ''
  const sum = parts.reduce(
    (all, [, number, unit]) => all + Math.round(Number(number) * (units[unit as string] ?? 0)),
    0,
  )
  const flag = `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  if (!whole && text !== '0') throw wrong(position, `${flag}=${text} is not a duration`, 'write for example 30s')
  if (sum > 0 && sum < 1e6) throw wrong(position, `${flag}=${text} is less than a millisecond`, 'write for example 30s')
  return sum
}

const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

function count(text: string, position: Position): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw wrong(position, `--retries=${text} is not a number`, 'write for example --retries=3')
}

/** `80`, `53/udp`, `8000-8010`: one entry a port, with its protocol, as Docker writes them. */
function portsOf(text: string, position: Position): readonly string[] {
  const [, first = '', last = first, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? []
  const [from, to] = [Number(first), Number(last)]
  if (first === '' || from < 1 || to > 65535 || to < from)
    throw wrong(position, `${text} is not a port`, 'write for example EXPOSE 80, 53/udp or 8000-8010')
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${protocol.toLowerCase()}`)
}

function set(before: Readonly<Record<string, Record<string, never>>> | undefined, names: readonly string[]) {
  return { ...before, ...Object.fromEntries(names.map((name) => [name, {}])) }
}

function said(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([name, value]) => `${name}=${value}`).join(' ')
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function wrong(position: Position, reason: string, hint: string) {
  return errorAt(position, { operation: 'build', reason, hint })
}
