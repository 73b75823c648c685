import { dropList, findList } from '../store/lists.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link manifestRm}. */
export interface ManifestRmOptions extends GlobalOptions {}

/**
 * Removes lists: a name first, and the list itself with its last name.
 *
 * Images that have names of their own stay, and so do those that a container uses.
 *
 * Throws `NOT_FOUND` for an unknown list and `INVALID` for an image, before anything is removed.
 *
 * @verb manifest rm
 * @where inside
 * @stdout The ID of each list that was removed, or the name where only a name was.
 * @param lists - Names or IDs of lists.
 * @example
 * ```sh
 * builder manifest rm web
 * ```
 * @example
 * ```ts
 * import { manifestRm } from 'builder-sdk'
 * await manifestRm(['web'])
 * ```
 */
export async function manifestRm(
  lists: readonly string[],
  options: ManifestRmOptions = {},
): Promise<readonly string[]> {
  const store = await openStore(options)
  for (const list of lists) await findList(store, list, 'manifest rm')
  const removed: string[] = []
  for (const list of lists) removed.push(await dropList(store, await findList(store, list, 'manifest rm'), list))
  return removed
}

/** What the shell door prints. */
export function present(result: readonly string[]): string {
  return result.join('\n')
}
