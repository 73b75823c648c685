import { caller } from '../namespace/caller.js'
import { isEmptyInput } from '../namespace/standard-input.js'
import { beginRun, endRun } from './run/begin.js'
import { execute } from './run/execute.js'
import type { RunOptions } from './run/options.js'

/** How a command ended. */
export interface RunResult {
  /** The command's exit code; 128 + the signal's number when a signal ended it. */
  readonly exitCode: number
}

/**
 * Runs a command in a container.
 *
 * The command is a list of words; no shell is involved unless it is named. It is a child of the caller, with the caller's
 * terminal, standard streams and signals. What it writes is part of the next commit; what builder mounts for it -
 * /etc/resolv.conf, /etc/hosts, /proc, volumes, caches - leaves no trace.
 *
 * Throws `NOT_FOUND` for an unknown container or user, `UNSUPPORTED` for what this machine cannot do. A command that fails
 * is no error of builder: its exit code is the verb's.
 *
 * @verb
 * @where inside
 * @offline
 * @passthrough command
 * @stdout What the command prints.
 * @param container - Name or ID of a container.
 * @param command - The command and its arguments; the container's own command when absent.
 * @example
 * ```sh
 * builder run "$c" -- sh -c 'echo hello > /greeting'
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * const { stdout } = await c.run(['cat', '/etc/os-release'])
 * ```
 */
export async function run(
  container: string,
  command: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult> {
  const { become, stdinOf } = caller()
  const standardInput = stdinOf && isEmptyInput(stdinOf.pid, stdinOf.descriptor) ? 'empty' : 'unknown'
  const begun = await beginRun(container, command, { ...options, standardInput })
  try {
    if (begun.output && begun.output.stdout + begun.output.stderr === '')
      return {
        exitCode: (options.validExitCodes ?? []).includes(`${begun.output.exitCode}`) ? 0 : begun.output.exitCode,
      }
    if (become) {
      const { argv, env } = begun
      await become({ argv, env, keepsSession: true, validExitCodes: options.validExitCodes ?? [] })
      return { exitCode: 0 }
    }
    const { exitCode } = await execute(begun, {
      stdio: 'inherit',
      ...(options.signal ? { signal: options.signal } : {}),
    })
    return { exitCode: (options.validExitCodes ?? []).includes(`${exitCode}`) ? 0 : exitCode }
  } finally {
    await endRun(begun.token)
  }
}

/** The command prints for itself. */
export function present(): string {
  return ''
}
