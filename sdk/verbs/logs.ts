import { readFileSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { findContainer } from '../store/containers.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { outputOf } from './image-run/detached.js'

/**
 * Tells what a command that `run-image --detach` started has printed so far, both its streams.
 *
 * Throws `NOT_FOUND` for an unknown container and for one that keeps no output.
 *
 * @verb
 * @where outside
 * @offline
 * @stdout What the command printed.
 * @param container - Name or ID of a container.
 * @example
 * ```sh
 * builder logs web
 * ```
 * @example
 * ```ts
 * import { logs } from 'builder-sdk'
 * console.log(await logs('web'))
 * ```
 */
export async function logs(container: string, options: GlobalOptions = {}): Promise<string> {
  const store = await openStore(options)
  const { id, name } = await findContainer(store, container, 'logs')
  try {
    return readFileSync(outputOf(store, id), 'utf8')
  } catch (cause) {
    const reason = 'it keeps no output: its command was not started with run-image --detach'
    throw new BuilderError('NOT_FOUND', { operation: 'logs', object: name, reason, cause })
  }
}
