import { BuilderError } from '../errors.js'
import { type Descriptor, isIndexType } from '../image/descriptor.js'
import { type Digest, isDigest } from '../image/digest.js'
import type { MemberEdits } from '../image/list.js'
import { hostPlatform, type Platform } from '../image/platform.js'
import { descriptorOf, findImageOrList } from '../store/images.js'
import { type ImageList, isList, listLabel, memberFor, membersOf } from '../store/read-list.js'
import type { Store } from '../store/store.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import { transportOf } from '../transport/transport-text.js'
import type { GlobalOptions } from './global.js'

/** Which images of what is named go into a list. */
export interface WantedMembers extends Pick<MemberEdits, 'arch' | 'os' | 'variant'> {
  /** Every image of a list that is added. */
  readonly all?: boolean
}

/** What is wanted of an image from elsewhere, and how its registry is reached. */
export interface BringOptions extends WantedMembers, GlobalOptions, RegistryOptions {}

/** An image that is in the store now. */
export interface BroughtImage {
  /** How the store finds it. */
  readonly name: string
  /** Set when it came from elsewhere, and so has no name. */
  readonly digest?: Digest
}

/** Copies an image into the store when it is named with a transport. */
export async function bring(store: Store, image: string, wanted: BringOptions): Promise<BroughtImage> {
  if (!transportOf(image)) return { name: image }
  const { openSource, copyImage } = await import('../transport/transport.js')
  const { localListSink } = await import('../transport/local-list-sink.js')
  const stopping = wanted.signal ? { signal: wanted.signal } : {}
  await using source = await openSource(store, image, { registry: wanted, ...stopping })
  await using sink = await localListSink(store, [], image)
  const top = await source.top()
  // The platform of a single image is what the list shall say of it, not what is looked for.
  const platform = isIndexType(top.mediaType) && !wanted.all ? { platform: platformOf(wanted) } : {}
  const { digest } = await copyImage({ ...source, top: async () => top }, sink, {
    ...platform,
    all: wanted.all ?? false,
    ...stopping,
  })
  return { name: digest, digest }
}

/** The entries for an image of the store, or for one or all images of a list. Throws `NOT_FOUND`. */
export async function membersFor(
  store: Store,
  { name }: BroughtImage,
  wanted: WantedMembers,
  operation: string,
): Promise<readonly Descriptor[]> {
  const found = await findImageOrList(store, name, operation)
  if (!isList(found)) return [descriptorOf(found)]
  const members = await membersOf(store, found.index)
  if (wanted.all) return members
  const { manifestDigest } = await memberFor(store, found, platformOf(wanted), operation)
  return members.filter(({ digest }) => digest === manifestDigest).slice(0, 1)
}

/** The digest of an image of a list, by that digest or by its name in the store. Throws `NOT_FOUND`. */
export async function memberDigest(store: Store, list: ImageList, image: string, operation: string): Promise<Digest> {
  const known = list.index.manifests.map(({ digest }) => digest)
  const digest = isDigest(image) ? image : await digestOfName(store, image, operation)
  if (known.includes(digest)) return digest
  throw new BuilderError('NOT_FOUND', {
    operation,
    object: image,
    reason: `the list ${listLabel(list)} has no such image`,
    hint: known.length > 0 ? `it has ${known.join(', ')}` : 'it is empty',
  })
}

async function digestOfName(store: Store, image: string, operation: string): Promise<Digest> {
  const found = await findImageOrList(store, image, operation)
  return isList(found) ? found.digest : found.manifestDigest
}

function platformOf({ arch, os, variant }: WantedMembers): Platform {
  const host = hostPlatform()
  const isOther = arch !== undefined || os !== undefined
  const wanted = { os: os ?? host.os, architecture: arch ?? host.architecture }
  const own = variant ?? (isOther ? undefined : host.variant)
  return own === undefined ? wanted : { ...wanted, variant: own }
}
