import { withoutMember } from '../image/list.js'
import { editList, findList } from '../store/lists.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import type { ManifestMemberResult } from './manifest-add.js'
import { resultOf } from './manifest-create.js'
import { memberDigest } from './manifest-member.js'

/** Options of {@link manifestRemove}. */
export interface ManifestRemoveOptions extends GlobalOptions {}

/**
 * Takes an image out of a list.
 *
 * An image that has a name of its own stays in the store; one that only this list had goes.
 *
 * Throws `NOT_FOUND` for an unknown list, and for an image that is not in it.
 *
 * @verb manifest remove
 * @where inside
 * @stdout The list's ID, a colon, and the digest of the image.
 * @param list - Name or ID of a list.
 * @param image - Digest of an image of the list, or its name in the store.
 * @example
 * ```sh
 * builder manifest remove web web:arm64
 * ```
 * @example
 * ```ts
 * import { manifestRemove } from 'builder-sdk'
 * await manifestRemove('web', 'web:arm64')
 * ```
 */
export async function manifestRemove(
  list: string,
  image: string,
  options: ManifestRemoveOptions = {},
): Promise<ManifestMemberResult> {
  const store = await openStore(options)
  const member = await memberDigest(store, await findList(store, list, 'manifest remove'), image, 'manifest remove')
  const after = await editList(store, list, 'manifest remove', (index) => withoutMember(index, member))
  return { ...resultOf(after), member }
}

/** What the shell door prints. */
export function present({ id, member }: ManifestMemberResult): string {
  return `${id}: ${member}`
}
