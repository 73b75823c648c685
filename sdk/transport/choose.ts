import { BuilderError } from '../errors.js'
import { type Descriptor, isIndexType, isManifestType } from '../image/descriptor.js'
import { type Index, isIndex, type Manifest, parseManifest } from '../image/manifest.js'
import { formatPlatform, type Platform, platformMatches } from '../image/platform.js'
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
  const fits = wantedVariants(platform).flatMap((wanted) => offers.filter((it) => platformMatches(wanted, it.platform)))
  const isOnly = offers.length === 1 && offers[0]?.platform === undefined
  const [best] = isOnly ? offers : fits.sort((a, b) => distance(platform, a) - distance(platform, b))
  if (best) return readChild(source, best)
  const list = offers.flatMap((it) => (it.platform ? [formatPlatform(it.platform)] : []))
  throw new BuilderError('NOT_FOUND', {
    operation: 'read image',
    object: source.name,
    reason: `it has no image for ${formatPlatform(platform)}`,
    hint: list.length > 0 ? `choose one of: ${[...new Set(list)].join(', ')}` : 'its index names no platform',
  })
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

/** A 32-bit Arm machine also runs what was made for its elders. */
function wantedVariants(platform: Platform): readonly Platform[] {
  const version = /^v(\d+)$/.exec(platform.variant ?? '')?.[1]
  if (platform.architecture !== 'arm' || version === undefined) return [platform]
  const elders = Array.from({ length: Math.max(0, Number(version) - 4) }, (_, i) => Number(version) - i)
  return elders.map((v) => ({ ...platform, variant: `v${v}` }))
}

function distance(wanted: Platform, { platform }: Descriptor): number {
  if (platform?.variant === wanted.variant) return 0
  return platform?.variant === undefined ? 2 : 1
}
