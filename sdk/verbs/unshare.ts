import { BuilderError } from '../errors.js'
import { findContainer } from '../store/containers.js'
import { useRoot } from '../store/mounts.js'
import { openStore } from '../store/store.js'
import { becomeOnHost } from './become-on-host.js'
import type { GlobalOptions } from './global.js'
import { sessionEnvironment } from './session-environment.js'

/** Options of {@link unshare}. */
export interface UnshareOptions extends GlobalOptions {
  /**
   * Mount a container for the command and put its path into a variable; without VAR= the container's name is the variable's.
   * @short m
   * @placeholder [VAR=]CONTAINER
   */
  mount?: readonly string[]
}

/** How the command ended. */
export interface UnshareResult {
  /** The command's exit code; 128 + the signal's number when a signal ended it. */
  readonly exitCode: number
}

/**
 * Runs a command, or a shell, as root of a user namespace.
 *
 * Inside, files of containers have the owners that the container sees, chown and mount work, and every builder verb runs
 * in the same namespace: mounts made there are seen by the whole session and end with it. The command is in a session: one
 * engine answers its verbs in milliseconds, and ends with it. As root of the machine there is no other namespace.
 *
 * Throws `NOT_FOUND` for an unknown container or command.
 *
 * @verb
 * @where session
 * @passthrough command
 * @stdout What the command prints.
 * @param command - The command and its arguments; your shell when absent.
 * @example
 * ```sh
 * builder unshare -m m=web-build sh -c 'chown -R 33:33 "$m/srv"'
 * ```
 */
export async function unshare(command: readonly string[] = [], options: UnshareOptions = {}): Promise<UnshareResult> {
  const store = await openStore(options)
  const held: AsyncDisposable[] = []
  try {
    const paths: Record<string, string> = {}
    for (const wanted of options.mount ?? []) {
      const [variable, container] = variableAndContainer(wanted)
      const { id } = await findContainer(store, container, 'unshare')
      const root = await useRoot(store, id, options.signal)
      held.push(root)
      paths[variable] = root.path
    }
    const argv = command.length > 0 ? command : [process.env.SHELL ?? '/bin/sh']
    return { exitCode: await becomeOnHost('unshare', { argv, env: { ...sessionEnvironment(options), ...paths } }) }
  } finally {
    for (const root of held) await root[Symbol.asyncDispose]()
  }
}

/** The command prints for itself. */
export function present(): string {
  return ''
}

function variableAndContainer(text: string): [string, string] {
  const at = text.indexOf('=')
  const variable = at < 0 ? text.replace(/\W/g, '_') : text.slice(0, at)
  if (/^[A-Za-z_]\w*$/.test(variable)) return [variable, text.slice(at + 1)]
  throw new BuilderError('USAGE', {
    operation: 'unshare --mount',
    object: JSON.stringify(text),
    reason: `${JSON.stringify(variable)} cannot be the name of a variable`,
    hint: 'write VAR=CONTAINER',
  })
}
