import type { ImageConfig } from '../image/config.js'
import type { Digest } from '../image/digest.js'

/** A value that decides a step's result. */
export type StepInput = string | number | boolean | null | readonly StepInput[] | { readonly [key: string]: StepInput }

/** A verb with everything that decides its result. A secret's value is never in it. */
export interface Step {
  readonly verb: 'run' | 'copy' | 'add' | 'workdir' | 'config' | 'dnf' | 'apt'
  /** The state before it, see `stateDigest`. */
  readonly parent: Digest
  /**
   * What decides the result, by name: `command`, `env`, `user`, `network`, `mounts`, `sources` (digest of names, modes and
   * content), `chown`, `epoch`… The order in which names were added does not count.
   */
  readonly inputs: Readonly<Record<string, StepInput>>
}

/** What a step made. */
export interface StepResult {
  /** The layer that it added; absent when no file changed. */
  readonly layer?: { readonly diffID: Digest; readonly size: number }
  /** What it printed, for scripts that read it; at most 1 MiB each, else the step is not kept. */
  readonly output?: { readonly stdout: string; readonly stderr: string; readonly exitCode: number }
  /** Milliseconds that it took when it was executed. */
  readonly milliseconds?: number
  /** When it was executed, RFC 3339: the time in the history of an image that a cached step is part of. */
  readonly created?: string
}

/**
 * The state of a container between two steps. Of the configuration only the platform is part of its digest: what else a
 * step sees of it (`env`, `user`, `workingdir`, `shell`) it names among its inputs, so that a changed label or an
 * environment variable that a copy does not read executes nothing again.
 */
export interface StepState {
  /** diffIDs from the base up. */
  readonly layers: readonly Digest[]
  readonly config: Pick<ImageConfig, 'os' | 'architecture' | 'variant'>
}

/** Why a step was executed, or not. */
export type StepExplanation =
  | { readonly state: 'hit'; readonly key: Digest; readonly from?: string }
  | {
      readonly state: 'miss'
      readonly key: Digest
      /** The first thing that differed from the nearest step that is kept: `sources`, `command`, `parent` …; absent when none is near. */
      readonly differs?: { readonly input: string; readonly was: string; readonly is: string }
      readonly reason: string
    }
