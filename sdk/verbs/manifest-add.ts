import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import { editMember, withMembers } from '../image/list.js'
import { absorb, editList, findList } from '../store/lists.js'
import { openStore } from '../store/store.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import type { GlobalOptions } from './global.js'
import { type ManifestResult, resultOf } from './manifest-create.js'
import { bring, membersFor } from './manifest-member.js'

/** What a list says of an image, in place of what the image says itself. */
export interface MemberOptions extends GlobalOptions {
  /**
   * Note about the image, as NAME=VALUE.
   * @placeholder NAME=VALUE
   */
  annotation?: readonly string[]
  /**
   * Architecture of the image.
   * @placeholder ARCH
   */
  arch?: string
  /**
   * Features that the image needs, as Docker's lists have them.
   * @placeholder FEATURE
   */
  features?: readonly string[]
  /**
   * Operating system of the image.
   * @placeholder OS
   */
  os?: string
  /**
   * Features of the operating system that the image needs.
   * @placeholder FEATURE
   */
  osFeatures?: readonly string[]
  /**
   * Version of the operating system that the image needs.
   * @placeholder VERSION
   */
  osVersion?: string
  /**
   * Variant of the image's architecture.
   * @placeholder VARIANT
   */
  variant?: string
}

/** Options of {@link manifestAdd}. */
export interface ManifestAddOptions extends MemberOptions, RegistryOptions {
  /** Add every image when a list is named, not only the one for this machine or for --arch, --os and --variant. */
  all?: boolean
}

/** A list as it is now, and which of its images was meant. */
export interface ManifestMemberResult extends ManifestResult {
  /** Digest of the image's manifest; of the first, where there are several. */
  readonly member: string
}

/**
 * Adds an image to a list.
 *
 * The image's configuration tells its platform; flags say it in its place. An image that the list has already is described
 * anew. An image named with a transport is copied into the store, where the list keeps it.
 *
 * Throws `NOT_FOUND` for an unknown list or image, `INVALID` when the list is an image.
 *
 * @verb manifest add
 * @where inside
 * @stdout The list's ID, a colon, and the digest of the image.
 * @param list - Name or ID of a list.
 * @param image - Name or ID of an image, or transport:path.
 * @example
 * ```sh
 * builder manifest add --variant v8 web web:arm64
 * ```
 * @example
 * ```ts
 * import { manifestAdd } from 'builder-sdk'
 * await manifestAdd('web', 'oci-archive:web-arm64.tar', { variant: 'v8' })
 * ```
 */
export async function manifestAdd(
  list: string,
  image: string,
  options: ManifestAddOptions = {},
): Promise<ManifestMemberResult> {
  checkFlags(options)
  const store = await openStore(options)
  await findList(store, list, 'manifest add')
  const brought = await bring(store, image, options)
  let added: readonly Descriptor[] = []
  const after = await editList(store, list, 'manifest add', async (index) => {
    const members = await membersFor(store, brought, options, 'manifest add')
    added = members.map((member) => editMember(member, options))
    return withMembers(index, added)
  })
  if (brought.digest) await absorb(store, [brought.digest])
  return { ...resultOf(after), member: added[0]?.digest ?? '' }
}

/** What the shell door prints. */
export function present({ id, member }: ManifestMemberResult): string {
  return member === '' ? id : `${id}: ${member}`
}

/** Several images cannot be for one platform. */
function checkFlags(options: ManifestAddOptions): void {
  editMember({ mediaType: '', digest: 'sha256:', size: 0 }, options)
  const { all, arch, os, variant, osVersion, osFeatures, features } = options
  const given = { arch, os, variant, osVersion, osFeatures, features }
  const [one] = Object.entries(given).filter(([, value]) => value !== undefined)
  if (!all || !one) return
  throw new BuilderError('USAGE', {
    operation: 'manifest add',
    object: '--all',
    reason: `all images of a list cannot have the same ${one[0]}`,
    hint: 'leave one of the two flags out',
  })
}
