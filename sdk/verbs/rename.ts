import { findContainer, renameContainer } from '../store/containers.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link rename}. */
export interface RenameOptions extends GlobalOptions {}

/**
 * Gives a working container another name.
 *
 * Throws `NOT_FOUND` for an unknown container, `EXISTS` for a name that is taken.
 *
 * @verb
 * @where outside
 * @offline
 * @param container - Name or ID of a container.
 * @param name - The new name.
 * @example
 * ```sh
 * builder rename working-container web-build
 * ```
 * @example
 * ```ts
 * import { from, rename } from 'builder-sdk'
 * const c = await from('scratch')
 * await rename(c.id, 'web-build')
 * ```
 */
export async function rename(container: string, name: string, options: RenameOptions = {}): Promise<void> {
  const store = await openStore(options)
  const { id } = await findContainer(store, container, 'rename')
  await renameContainer(store, id, name)
}
