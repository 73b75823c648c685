import { BuilderError } from '../errors.js'
import { findContainer } from '../store/containers.js'
import { usesOf } from '../store/mounts.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { readDetached } from './image-run/detached.js'
import { stopDetached } from './image-run/stop-detached.js'

/** Options of {@link stop}. */
export interface StopOptions extends GlobalOptions {
  /**
   * Seconds that a command has to end by itself before it is killed.
   * @short t
   * @default 10
   * @placeholder SECONDS
   */
  time?: number
}

/**
 * Ends commands that `run-image --detach` started: asks with SIGTERM, waits, and kills what is left.
 *
 * A container that was run with --rm is removed; another one stays until `builder rm`. One whose command has ended already is no error.
 *
 * Throws `NOT_FOUND` for an unknown container, `USAGE` for one whose command was not started by `run-image --detach`.
 *
 * @verb
 * @where inside
 * @offline
 * @stdout The ID of each container.
 * @param containers - Names or IDs of containers.
 * @example
 * ```sh
 * builder stop web
 * ```
 * @example
 * ```ts
 * import { runImage, stop } from 'builder-sdk'
 * const { id = '' } = await runImage('web', [], { detach: true })
 * await stop([id])
 * ```
 */
export async function stop(containers: readonly string[], options: StopOptions = {}): Promise<readonly string[]> {
  const { time = 10 } = options
  if (!(time >= 0)) throw notSeconds(time)
  const store = await openStore(options)
  const found = []
  for (const one of containers) found.push(await findContainer(store, one, 'stop'))
  for (const { id, name } of found) {
    const detached = readDetached(store, id)
    if (!detached) throw notDetached(name, usesOf(store, id) > 0)
    await stopDetached(store, id, time)
  }
  return found.map(({ id }) => id)
}

/** What the shell door prints. */
export function present(result: readonly string[]): string {
  return result.join('\n')
}

function notSeconds(time: number): BuilderError {
  const hint = 'write for example --time 10'
  return new BuilderError('USAGE', { operation: 'stop --time', object: `${time}`, reason: 'it is not a time', hint })
}

function notDetached(name: string, isInUse: boolean): BuilderError {
  const reason = isInUse ? 'its command was not started with run-image --detach' : 'no command runs in it'
  const hint = isInUse ? 'end the command where it was started' : 'remove it with builder rm'
  return new BuilderError('USAGE', { operation: 'stop', object: name, reason, hint })
}
