import type { RunWork } from '../containerfile/workshop.js'
import type { BuildOptions } from './build-options.js'
import type { RunOptions } from './run-options.js'

/** How a RUN is run: what the instruction says, and what the build was given for all of them. */
export function runOptions(work: RunWork, _options: BuildOptions): RunOptions {
  const { env, mounts, context, network } = work
  return {
    env,
    mount: mounts,
    ...(context === undefined ? {} : { contextdir: context }),
    ...(network === undefined ? {} : { network: networkOf(network) }),
  }
}

/** What the build gave to all runs, as part of what decides their results. */
export function runInputs(_options: BuildOptions): Readonly<Record<string, readonly string[]>> {
  return {}
}

/** Dockerfile reference, RUN --network: `default` is what the build has. */
function networkOf(network: string): NonNullable<RunOptions['network']> {
  return network as NonNullable<RunOptions['network']>
}
