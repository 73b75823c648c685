import { becomeOnHost } from './become-on-host.js'
import type { GlobalOptions } from './global.js'
import { beginOnHost, endOnHost } from './run/on-host.js'

/** Options of {@link execHost}. */
export interface ExecHostOptions extends GlobalOptions {}

/** How the command ended. */
export interface ExecHostResult {
  /** The command's exit code; 128 + the signal's number when a signal ended it. */
  readonly exitCode: number
}

/**
 * Runs a command of this machine on a container's files.
 *
 * The command runs as root of the namespace, where files of the container have the owners that the container sees. The
 * container is mounted for as long as the command lasts, and `BUILDER_MOUNT` says where. The working folder, the
 * environment, the terminal and the streams are the caller's. The command is in a session, as with `builder unshare`: builder
 * verbs that it calls are answered in milliseconds. In a container made by `from --layers` it makes the state unknown until
 * the next commit, as `builder mount` does.
 *
 * Throws `NOT_FOUND` for an unknown container or command, `IN_USE` when the container is mounted in another session. A command
 * that fails is no error of builder: its exit code is the verb's.
 *
 * @verb
 * @where session
 * @passthrough command
 * @stdout What the command prints.
 * @param container - Name or ID of a container.
 * @param command - The command and its arguments.
 * @example
 * ```sh
 * builder exec-host "$c" -- sh -c 'make install DESTDIR="$BUILDER_MOUNT"'
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.execHost(['sh', '-c', 'make install DESTDIR="$BUILDER_MOUNT"'])
 * ```
 */
export async function execHost(
  container: string,
  command: readonly string[],
  options: ExecHostOptions = {},
): Promise<ExecHostResult> {
  const { token, argv, env } = await beginOnHost(container, command, options)
  try {
    return { exitCode: await becomeOnHost('exec-host', { argv, env }) }
  } finally {
    await endOnHost(token)
  }
}

/** The command prints for itself. */
export function present(): string {
  return ''
}
