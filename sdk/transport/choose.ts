import { BuilderError } from '../errors.js'
import { type Descriptor, isIndexType, isManifestType } from '../image/descriptor.js'
import { type Index, isIndex, type Manifest, parseManifest } from '../image/manifest.js'
import { nearestOffer, notOffered } from '../image/nearest-offer.js'
import type { Platform } from '../image/platform.js'
import type { ImageSource } from './source.js'
import { broken } from './verify.js'

/** A manifest or an index with the descriptor that names it and its bytes. */
export interface Found {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  readonly value: Manifest | Index
}

/** Reads the top of a source. Throws `NOT_FOUND`, `INVALID`, `DIGEST`. */
export async function readTop(source: ImageSource): Promise<Found> {
  const { bytes, mediaType, digest } = await source.top()
  return found(source, { mediaType, digest, size: bytes.length }, bytes)
}

/** Reads a manifest or an index that an index names. */
export async function readChild(source: ImageSource, descriptor: Descriptor): Promise<Found> {
  return found(source, descriptor, await source.manifest(descriptor))
}

/**
 * The manifest for a platform, through indexes that hold indexes. Source: OCI image-spec, image-index.md. Of several
 * that fit, the one whose variant is nearest and that comes first. Throws `NOT_FOUND` with what is offered.
 */
export async function chooseImage(source: ImageSource, top: Found, platform: Platform): Promise<Found> {
  if (!isIndex(top.value)) return top
  const offers = await offersOf(source, top.value)
  const best = nearestOffer(offers, platform)
  if (best) return readChild(source, best)
  const parts = { operation: 'read image', object: source.name, ...notOffered(offers, platform) }
  throw new BuilderError('NOT_FOUND', parts)
}

/** Every manifest below an index that is an image for a platform. */
async function offersOf(
  source: ImageSource,
  index: Index,
  outer?: Platform,
  depth = 0,
): Promise<readonly Descriptor[]> {
  if (depth > depthLimit) throw tooDeep(source.name)
  const offers: Descriptor[] = []
  for (const descriptor of index.manifests) {
    const platform = descriptor.platform ?? outer
    if (isManifestType(descriptor.mediaType)) offers.push(platform ? { ...descriptor, platform } : descriptor)
    if (!isIndexType(descriptor.mediaType)) continue
    const { value } = await readChild(source, descriptor)
    if (isIndex(value)) offers.push(...(await offersOf(source, value, platform, depth + 1)))
  }
  return offers.filter(({ platform }) => platform?.os !== 'unknown')
}

/** How deep indexes may hold indexes. */
export const depthLimit = 8

/** The error for indexes that hold each other without an end. */
export function tooDeep(name: string): BuilderError {
  return broken(name, `its indexes are nested more than ${depthLimit} deep`)
}

function found(source: ImageSource, descriptor: Descriptor, bytes: Uint8Array): Found {
  const value = parseManifest(bytes, `${source.name} ${descriptor.digest}`)
  if (isIndex(value) === isIndexType(descriptor.mediaType)) return { descriptor, bytes, value }
  throw broken(source.name, `${descriptor.digest} is not the ${descriptor.mediaType} that its descriptor says`)
}
