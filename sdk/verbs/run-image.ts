import { readlinkSync } from 'node:fs'
import { isatty } from 'node:tty'
import { caller } from '../namespace/caller.js'
import { beginImageRun } from './image-run/begin.js'
import type { RunImageOptions } from './image-run/options.js'
import { startDetached } from './image-run/start-detached.js'
import { endRun } from './run/begin.js'
import { execute } from './run/execute.js'
import type { RunResult } from './run.js'

/** How an image's command ended; with `detach` what was started. */
export interface RunImageResult extends RunResult {
  /** The ID of the container that goes on in the background. */
  readonly id?: string
}

/**
 * Runs an image: makes a container, runs the image's command or another one in it, and removes it when that has ended.
 *
 * The flags are podman's, and so are the image's entry point, command, variables, user, folder and volumes. The command is a child of
 * the caller, with its terminal, its streams and its signals; its exit code is the verb's. With --detach it goes on in a session of its
 * own, without a daemon: what it prints is kept for `builder logs`, `builder stop` ends it, and the container stays until
 * `builder rm`, or with --rm until the command has ended.
 *
 * Throws `NOT_FOUND` for an unknown image or a missing file, `EXISTS` for a name that is taken, `USAGE` for what is wrongly written,
 * `UNSUPPORTED` for what this machine cannot do, and what `pull` throws. A command that fails is no error of builder.
 *
 * @verb
 * @where inside
 * @passthrough command
 * @stdout What the command prints; with --detach the container's ID.
 * @param image - An image's name or ID, or transport:path.
 * @param command - The words that follow the image's entry point; the image's own command when absent.
 * @example
 * ```sh
 * builder run-image -it --net=host -v /srv:/srv:ro tools sh
 * ```
 * @example
 * ```ts
 * import { runImage } from 'builder-sdk'
 * const { stdout } = await runImage('tools', ['cat', '/srv/motd'], { volume: ['/srv:/srv:ro'] })
 * ```
 */
export async function runImage(
  image: string,
  command: readonly string[] = [],
  options: RunImageOptions = {},
): Promise<RunImageResult> {
  if (options.detach) return { id: await startDetached(image, command, options), exitCode: 0 }
  const begun = await beginImageRun(image, command, withTerminal(options))
  try {
    const { become } = caller()
    if (become) {
      await become({ argv: begun.argv, env: begun.env, keepsSession: true })
      return { exitCode: 0 }
    }
    const { exitCode } = await execute(begun, {
      stdio: 'inherit',
      ...(options.signal ? { signal: options.signal } : {}),
    })
    return { exitCode }
  } finally {
    await endRun(begun.token)
  }
}

/** The command prints for itself. */
export function present({ id = '' }: RunImageResult): string {
  return id
}

/** In a script or a pipe there is no terminal to give: as podman does, that is said, and the command runs. */
function withTerminal(options: RunImageOptions): RunImageOptions {
  if (!options.tty || isTerminal()) return options
  caller().say('builder: warning: run-image --tty: standard input is no terminal; the command gets none\n')
  return { ...options, tty: false, interactive: true }
}

function isTerminal(): boolean {
  const { stdinOf } = caller()
  if (!stdinOf || stdinOf.pid === 'self') return isatty(0)
  try {
    return /^\/dev\/(pts\/\d+|tty\w*|console)$/.test(readlinkSync(`/proc/${stdinOf.pid}/fd/${stdinOf.descriptor}`))
  } catch {
    return false
  }
}
