import { editMember, withMembers } from '../image/list.js'
import { editList, findList } from '../store/lists.js'
import { openStore } from '../store/store.js'
import type { ManifestMemberResult, MemberOptions } from './manifest-add.js'
import { resultOf } from './manifest-create.js'
import { memberDigest } from './manifest-member.js'

/** Options of {@link manifestAnnotate}. */
export interface ManifestAnnotateOptions extends MemberOptions {}

/**
 * Changes what a list says of one of its images; the image itself stays as it is.
 *
 * Throws `NOT_FOUND` for an unknown list, and for an image that is not in it.
 *
 * @verb manifest annotate
 * @where inside
 * @stdout The list's ID, a colon, and the digest of the image.
 * @param list - Name or ID of a list.
 * @param image - Digest of an image of the list, or its name in the store.
 * @example
 * ```sh
 * builder manifest annotate --annotation tested=yes web web:arm64
 * ```
 * @example
 * ```ts
 * import { manifestAnnotate } from 'builder-sdk'
 * await manifestAnnotate('web', 'web:arm64', { annotation: ['tested=yes'] })
 * ```
 */
export async function manifestAnnotate(
  list: string,
  image: string,
  options: ManifestAnnotateOptions = {},
): Promise<ManifestMemberResult> {
  const store = await openStore(options)
  const found = await findList(store, list, 'manifest annotate')
  const member = await memberDigest(store, found, image, 'manifest annotate')
  const after = await editList(store, list, 'manifest annotate', (index) => {
    const changed = index.manifests.filter(({ digest }) => digest === member).map((one) => editMember(one, options))
    return withMembers(index, changed)
  })
  return { ...resultOf(after), member }
}

/** What the shell door prints. */
export function present({ id, member }: ManifestMemberResult): string {
  return `${id}: ${member}`
}
