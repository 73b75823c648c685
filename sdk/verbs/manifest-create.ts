import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import { withMembers } from '../image/list.js'
import type { Index } from '../image/manifest.js'
import { absorb, checkFree, createList, editList, findList } from '../store/lists.js'
import type { ImageList } from '../store/read-list.js'
import { openStore, type Store } from '../store/store.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import type { GlobalOptions } from './global.js'
import { type BroughtImage, bring, membersFor } from './manifest-member.js'

/** Options of {@link manifestCreate}. */
export interface ManifestCreateOptions extends GlobalOptions, RegistryOptions {
  /** Add every image of the lists that are named, not only those for this machine. */
  all?: boolean
  /** Add to the list when there is one of that name. */
  amend?: boolean
}

/** A list as it is now. */
export interface ManifestResult {
  /** 64 hexadecimal digits: the list's digest. Every change gives a list another one. */
  readonly id: string
  /** Digest of the list. */
  readonly digest: string
}

/**
 * Makes a list of images, one for each platform, under one name.
 *
 * An image is a name or an ID in the store, or transport:path; one that comes from elsewhere is kept with the list. The
 * list is an OCI image index. It keeps its images: `rmi` and `prune` do not take away what a list needs.
 *
 * Throws `EXISTS` when the name is taken, `NOT_FOUND` for an unknown image; then there is no list.
 *
 * @verb manifest create
 * @where inside
 * @stdout The list's ID.
 * @param list - Name for the list.
 * @param images - Images to begin with.
 * @example
 * ```sh
 * builder manifest create web web:amd64 web:arm64
 * ```
 * @example
 * ```ts
 * import { manifestCreate } from 'builder-sdk'
 * const { digest } = await manifestCreate('web', ['web:amd64', 'web:arm64'])
 * ```
 */
export async function manifestCreate(
  list: string,
  images: readonly string[] = [],
  options: ManifestCreateOptions = {},
): Promise<ManifestResult> {
  const store = await openStore(options)
  const isThere = options.amend ? await exists(store, list) : false
  if (!isThere) checkFree(store, list)
  const brought: BroughtImage[] = []
  for (const image of images) brought.push(await bring(store, image, options))
  const fill = async (index: Index) => {
    const members: Descriptor[] = []
    for (const one of brought) members.push(...(await membersFor(store, one, options, 'manifest create')))
    return withMembers(index, members)
  }
  const made = await (isThere ? editList(store, list, 'manifest create', fill) : createList(store, list, fill))
  await absorb(
    store,
    brought.flatMap(({ digest }) => digest ?? []),
  )
  return resultOf(made)
}

/** What the shell door prints. */
export function present(result: ManifestResult): string {
  return result.id
}

/** What is told of a list. */
export function resultOf({ id, digest }: ImageList): ManifestResult {
  return { id, digest }
}

async function exists(store: Store, list: string): Promise<boolean> {
  try {
    await findList(store, list, 'manifest create')
    return true
  } catch (error) {
    if (error instanceof BuilderError && error.code === 'NOT_FOUND') return false
    throw error
  }
}
