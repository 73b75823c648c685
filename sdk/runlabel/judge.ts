import { resolve } from 'node:path'
import type { Ask } from './ask.js'
import { askForPath } from './host-path.js'
import type { RunFlags } from './run-flags.js'

/** A command that somebody is to judge. */
export type Judgeable =
  | { readonly kind: 'program'; readonly program: string }
  | { readonly kind: 'engine-command'; readonly engine: string; readonly words: readonly string[] }
  | {
      readonly kind: 'run'
      readonly engine: string
      readonly options: Readonly<RunFlags>
      /** Flags that builder only passes on. */
      readonly others: readonly string[]
      /** The image, when it is not the label's own. */
      readonly otherImage?: string
    }

/** Who executes it, and where paths start. */
export interface Surroundings {
  /** True when what is started is root of the machine. */
  readonly isRoot: boolean
  readonly cwd: string
}

/**
 * What a command asks of the machine, in plain words; nothing for a container that keeps to itself.
 *
 * @example
 * ```ts
 * import { judge } from './judge.js'
 * const line = { kind: 'run', engine: 'podman', options: { network: 'host' }, others: [] } as const
 * judge(line, { isRoot: false, cwd: '/' }) // [{ kind: 'host-network', text: 'the network of this machine' }]
 * ```
 */
export function judge(command: Judgeable, surroundings: Surroundings): readonly Ask[] {
  const root: readonly Ask[] = surroundings.isRoot
    ? [{ kind: 'root', text: 'be executed by root of this machine' }]
    : command.kind !== 'program' && command.engine === 'docker'
      ? [{ kind: 'root', text: "be executed by docker's daemon, which is root of this machine as a rule" }]
      : []
  return [...root, ...asksOf(command, surroundings)]
}

function asksOf(command: Judgeable, { cwd }: Surroundings): readonly Ask[] {
  if (command.kind === 'program') {
    const { program } = command
    return [{ kind: 'host-program', object: program, text: `a program on the host, in no container: ${program}` }]
  }
  if (command.kind === 'engine-command') {
    const [name = ''] = command.words
    const text = plainCommands.has(name) ? '' : `, which may do all that ${command.engine} can`
    return [{ kind: 'engine-command', object: name, text: `the command ${name} of ${command.engine}${text}` }]
  }
  const { options, others, otherImage, engine } = command
  return [
    ...(otherImage === undefined ? [] : [other(otherImage)]),
    ...(options.privileged || options.spc ? [privileged] : []),
    ...(options.spc ? superPrivileged : []),
    ...(options.volume ?? []).flatMap((text) => volume(text, cwd)),
    ...namespaces(options),
    ...list(options.capAdd, capability),
    ...list(options.device, (text) => named('device', text.split(':')[0] ?? '', 'the device')),
    ...list(
      options.securityOpt?.filter((text) => !harmlessOption.test(text)),
      securityOption,
    ),
    ...list(options.envFile, (text) => named('env-file', resolve(cwd, text), 'read variables from the file')),
    ...list(
      options.env?.filter((text) => !text.includes('=')),
      (text) => named('caller-env', text, 'your variable'),
    ),
    ...(options.replace ? [named('replace', options.name ?? '', 'remove the container that has the name')] : []),
    ...others.map((flag) => otherFlag(flag, engine)),
  ]
}

/** Their words say all that they do. */
const plainCommands = new Set('images inspect kill logs ps pull restart rm rmi start stop wait'.split(' '))

function list(texts: readonly string[] | undefined, ask: (text: string) => Ask): readonly Ask[] {
  return (texts ?? []).map(ask)
}

function named(kind: Ask['kind'], object: string, words: string): Ask {
  return { kind, object, text: `${words} ${object}` }
}

const privileged: Ask = {
  kind: 'privileged',
  text: 'all privileges: every capability, every device, no filter of system calls',
}

/** What --spc stands for. Source: atomic-run(1). */
const superPrivileged: readonly Ask[] = [
  { kind: 'host-root', object: 'write', text: 'all files of this machine: read and write / at /host' },
  { kind: 'host-path-write', object: '/run', text: 'read and write /run, the sockets and states of running programs' },
  { kind: 'host-network', text: 'the network of this machine' },
  { kind: 'host-ipc', text: 'the shared memory of this machine' },
  { kind: 'host-pid', text: 'the processes of this machine' },
]

/** A source that is no path is the name of a volume of the engine's. Options: podman-run(1), --volume. */
function volume(text: string, cwd: string): readonly Ask[] {
  const [source = '', destination, options = ''] = text.split(':')
  if (destination === undefined || !/^[./]/.test(source)) return []
  const names = options.split(',')
  const isRead = (names.includes('ro') && !names.some((name) => /^[zZU]$/.test(name))) || names.includes('O')
  return [askForPath(resolve(cwd, source), isRead ? 'read' : 'write')]
}

function namespaces(options: Readonly<RunFlags>): readonly Ask[] {
  const asked: readonly (readonly [string | undefined, Ask])[] = [
    [options.network, { kind: 'host-network', text: 'the network of this machine' }],
    [options.ipc, { kind: 'host-ipc', text: 'the shared memory of this machine' }],
    [options.pid, { kind: 'host-pid', text: 'the processes of this machine' }],
    [options.uts, { kind: 'host-uts', text: 'the host name of this machine' }],
    [options.userns, { kind: 'host-user', text: 'the users of this machine, root among them' }],
  ]
  return asked.filter(([value]) => value === 'host').map(([, ask]) => ask)
}

function capability(text: string): Ask {
  const name = text.toUpperCase().replace(/^CAP_/, '')
  return named('capability', name, name === 'ALL' ? 'the capabilities:' : 'the capability')
}

/** Take something away, and give nothing. */
const harmlessOption = /^(no-new-privileges(?:[:=]true)?|mask[:=].*)$/

function securityOption(text: string): Ask {
  const isOff = /^(seccomp|apparmor|label|systempaths|unmask|proc-opts)[:=]/.test(text)
  return named('security-option', text, isOff ? 'less protection of this machine:' : 'the security option')
}

function other(image: string): Ask {
  return named('other-image', image, 'run another image than the one whose label it is:')
}

function otherFlag(flag: string, engine: string): Ask {
  const [, ports] = /^--publish=(.*)$/s.exec(flag) ?? []
  if (ports !== undefined) return named('port', ports, 'a port of this machine:')
  const text = `${flag}, which builder passes on and does not judge; see the manual of ${engine} run`
  return { kind: 'engine-flag', object: flag, text }
}
