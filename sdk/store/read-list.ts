import { BuilderError } from '../errors.js'
import { type Descriptor, isIndexType, isManifestType } from '../image/descriptor.js'
import { type Digest, hexOf } from '../image/digest.js'
import { type Index, isIndex, manifestSizeLimit, parseManifest } from '../image/manifest.js'
import { nearestOffer, notOffered } from '../image/nearest-offer.js'
import { formatPlatform, type Platform } from '../image/platform.js'
import { blobPath, hasBlob, readBlob } from './blobs.js'
import { readEntries } from './index-file.js'
import { type Image, listImages, namesOf, readImage } from './read-image.js'
import type { Store } from './store.js'

/** A list of images in the store: an OCI image index or a Docker manifest list, read and checked. */
export interface ImageList {
  /** The 64 hexadecimal digits of its digest. */
  readonly id: string
  /** Full names (`localhost/web:latest`); empty when it has none. */
  readonly names: readonly string[]
  readonly digest: Digest
  /** Bytes of the index. */
  readonly size: number
  readonly index: Index
}

/** Tells a list from an image. */
export function isList(found: Image | ImageList): found is ImageList {
  return 'index' in found
}

/** Reads the list with this digest; `entries` say its names. Throws `NOT_FOUND`, `INVALID`, `DIGEST`. */
export async function readList(store: Store, digest: Digest, entries: readonly Descriptor[]): Promise<ImageList> {
  const bytes = await readBlob(store, digest, manifestSizeLimit)
  const path = blobPath(store, digest)
  const index = parseManifest(bytes, path)
  if (!isIndex(index)) throw invalid(path, 'it is an image, not a list of images')
  return { id: hexOf(digest), names: namesOf(entries, digest), digest, size: bytes.length, index }
}

/** All lists, in the order they came. Throws when one is damaged, unless `onDamaged` is there to hear of it. */
export async function listLists(
  store: Store,
  onDamaged?: (error: BuilderError, names: readonly string[]) => void,
): Promise<ImageList[]> {
  const entries = readEntries(store)
  const digests = new Set(entries.filter(({ mediaType }) => isIndexType(mediaType)).map(({ digest }) => digest))
  const lists: ImageList[] = []
  for (const digest of digests)
    try {
      lists.push(await readList(store, digest, entries))
    } catch (error) {
      if (!onDamaged || !(error instanceof BuilderError)) throw error
      onDamaged(error, namesOf(entries, digest))
    }
  return lists
}

/** The images below an index, through indexes that it holds, as far as those are in the store. */
export async function membersOf(
  store: Store,
  index: Index,
  outer?: Platform,
  depth = 0,
): Promise<readonly Descriptor[]> {
  if (depth > depthLimit) throw invalid('index', `indexes are nested more than ${depthLimit} deep`)
  const members: Descriptor[] = []
  for (const descriptor of index.manifests) {
    const platform = descriptor.platform ?? outer
    if (isManifestType(descriptor.mediaType)) members.push(platform ? { ...descriptor, platform } : descriptor)
    if (!isIndexType(descriptor.mediaType) || !hasBlob(store, descriptor.digest)) continue
    const inner = await readList(store, descriptor.digest, [])
    members.push(...(await membersOf(store, inner.index, platform, depth + 1)))
  }
  return members
}

/** The images of lists, each once; those that are not in the store, are damaged, or are no images are left out. */
export async function listMembers(store: Store, lists: readonly ImageList[]): Promise<readonly Image[]> {
  const images = new Map<Digest, Image>()
  for (const list of lists)
    for (const member of await readableMembers(store, list))
      try {
        if (!images.has(member.digest)) images.set(member.digest, await readMember(store, list, member, 'read list'))
      } catch (error) {
        if (!(error instanceof BuilderError)) throw error
      }
  return [...images.values()]
}

/** The images below a list; none when an index that it holds is damaged. */
export async function readableMembers(store: Store, { index }: ImageList): Promise<readonly Descriptor[]> {
  return membersOf(store, index).catch((error) => {
    if (error instanceof BuilderError) return []
    throw error
  })
}

/** Every image that can be read, those that only lists have among them. */
export async function allImages(store: Store): Promise<readonly Image[]> {
  const images = await listImages(store, () => undefined)
  const known = new Set(images.map(({ manifestDigest }) => manifestDigest))
  const members = await listMembers(store, await listLists(store, () => undefined))
  return [...images, ...members.filter(({ manifestDigest }) => !known.has(manifestDigest))]
}

/** The image of a list for a platform. Throws `NOT_FOUND` with what the list offers, or when its image was removed. */
export async function memberFor(store: Store, list: ImageList, platform: Platform, operation: string): Promise<Image> {
  const members = await membersOf(store, list.index)
  // BuildKit's attestations are entries for an unknown system.
  const offers = members.filter((member) => member.platform?.os !== 'unknown')
  const best = nearestOffer(offers, platform)
  const object = listLabel(list)
  if (!best) throw new BuilderError('NOT_FOUND', { operation, object, ...notOffered(offers, platform) })
  return readMember(store, list, best, operation)
}

/** An image of a list. Throws `NOT_FOUND` when the list names it and the store has lost it. */
export async function readMember(store: Store, list: ImageList, member: Descriptor, operation: string): Promise<Image> {
  if (!hasBlob(store, member.digest)) throw lost(list, member, operation)
  const image = await readImage(store, member.digest, readEntries(store))
  const name = list.names[0]
  return { ...image, list: { digest: list.digest, ...(name === undefined ? {} : { name }) } }
}

/** An image that a list names and that is not in the store. */
export function lost(list: ImageList, { digest, platform }: Descriptor, operation: string): BuilderError {
  const name = listLabel(list)
  return new BuilderError('NOT_FOUND', {
    operation,
    object: name,
    reason: `its image ${digest}${platform ? ` for ${formatPlatform(platform)}` : ''} is not in the store`,
    hint: `get it again, or take it out of the list (builder manifest remove ${name} ${digest})`,
  })
}

/** The name of a list for messages. */
export function listLabel({ names, id }: ImageList): string {
  return names[0] ?? id.slice(0, 12)
}

const depthLimit = 8

function invalid(object: string, reason: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read list', object, reason })
}
