import type { RunWork } from '../containerfile/workshop.js'
import { BuilderError } from '../errors.js'
import type { RunOptions } from './run-options.js'

/** Options of a build that all its runs get. */
export type BuildRunOptions = Pick<
  RunOptions,
  | 'volume'
  | 'secret'
  | 'ssh'
  | 'network'
  | 'allow'
  | 'addHost'
  | 'dns'
  | 'dnsSearch'
  | 'dnsOption'
  | 'shmSize'
  | 'ulimit'
  | 'capAdd'
  | 'capDrop'
  | 'device'
  | 'securityOpt'
  | 'noHosts'
  | 'isolation'
  | 'runtime'
  | 'runtimeFlag'
>

/** How a RUN is run: what the instruction says, and what the build was given for all of them. Throws `USAGE`. */
export function runOptions(work: RunWork, options: BuildRunOptions): RunOptions {
  const { env, mounts, context, network, security, script } = work
  const volume = [...(options.volume ?? []), ...(script ? [`${script.file}:${script.path}:ro`] : [])]
  return {
    ...given(options),
    env,
    mount: mounts,
    ...(volume.length > 0 ? { volume } : {}),
    device: [...(options.device ?? []), ...work.device],
    ...(context === undefined ? {} : { contextdir: context }),
    ...(network === undefined || network === 'default' ? {} : { network: oneOf('network', network, networks) }),
    ...(security === undefined ? {} : { security: oneOf('security', security, securities) }),
  }
}

/** What of these options decides what a command leaves in the image. */
export function runInputs(options: BuildRunOptions): Readonly<Record<string, string | readonly string[]>> {
  const { volume, network, addHost, shmSize, ulimit, capAdd, capDrop, device, securityOpt } = options
  const all = { volume, network, addHost, shmSize, ulimit, capAdd, capDrop, device, securityOpt }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined || value.length === 0 ? [] : [[name, value]])),
  )
}

function given(options: BuildRunOptions): RunOptions {
  const { secret, ssh, network, allow, addHost, dns, dnsSearch, dnsOption, shmSize, ulimit } = options
  const { capAdd, capDrop, securityOpt, noHosts, isolation, runtime, runtimeFlag } = options
  const run = { secret, ssh, network, allow, addHost, dns, dnsSearch, dnsOption, shmSize, ulimit }
  const all = { ...run, capAdd, capDrop, securityOpt, noHosts, isolation, runtime, runtimeFlag }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

const networks = ['host', 'none', 'private'] as const
const securities = ['sandbox', 'insecure'] as const

function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value)
  if (found !== undefined) return found
  throw new BuilderError('USAGE', {
    operation: `RUN --${flag}`,
    object: value || '""',
    reason: 'there is no such value',
    hint: `write one of ${['default', ...known].slice(flag === 'network' ? 0 : 1).join(', ')}`,
  })
}
