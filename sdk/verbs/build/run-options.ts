import type { RunWork } from '../../containerfile/workshop.js'
import type { RunOptions, RunSettings } from '../run/options.js'
import type { BuildOptions } from './options.js'

/** How a RUN is run: what the instruction says, and what the build was given for all of them. */
export function runOptions(work: RunWork, options: BuildOptions): RunOptions {
  const { env, mounts, context, network, security, device } = work
  const { network: usual, ...given } = pick(options, [...deciding, ...harmless])
  return {
    ...given,
    env,
    mount: mounts,
    device: [...(options.device ?? []), ...device],
    ...(context === undefined ? {} : { contextdir: context }),
    // Dockerfile reference, RUN --network: `default` is what the build has.
    network: networkOf(network === undefined || network === 'default' ? (usual ?? 'default') : network),
    ...(security === undefined ? {} : { security: security === 'insecure' ? 'insecure' : 'sandbox' }),
  }
}

/** The file that a RUN needs beside its mounts: a heredoc that is a program. */
export function runFiles({ script }: RunWork): readonly { readonly path: string; readonly content: string }[] {
  return script ? [script] : []
}

/** What the build gave to all runs, as part of what decides their results. */
export function runInputs(options: BuildOptions): Readonly<Record<string, readonly string[]>> {
  const given = Object.entries(pick(options, deciding))
  return Object.fromEntries(given.map(([name, value]) => [name, Array.isArray(value) ? value : [`${value}`]]))
}

function pick(options: BuildOptions, names: readonly (keyof RunSettings)[]): RunSettings {
  return Object.fromEntries(names.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined))
}

function networkOf(network: string): NonNullable<RunOptions['network']> {
  return network as NonNullable<RunOptions['network']>
}

const deciding = [
  'addHost',
  'capAdd',
  'capDrop',
  'device',
  'dns',
  'dnsOption',
  'dnsSearch',
  'network',
  'securityOpt',
  'shmSize',
  'ulimit',
  'volume',
] as const
/** These change nothing in the result, or must not be in a key. */
const harmless = ['allow', 'isolation', 'runtime', 'runtimeFlag', 'secret', 'ssh'] as const
