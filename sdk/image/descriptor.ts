import { BuilderError } from '../errors.js'
import { type Digest, isDigest } from './digest.js'
import type { ListedPlatform } from './platform.js'

/** A pointer to a blob. Source: OCI image-spec, descriptor.md. Sizes are bytes. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: ListedPlatform
  readonly urls?: readonly string[]
  readonly artifactType?: string
}

/** Media types of OCI image-spec media-types.md and of Docker's schema 2. */
export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.manifest || mediaType === mediaTypes.dockerManifest
}

/** Checks a descriptor that came from outside. Throws `INVALID`. */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  const it = value as Partial<Descriptor> | null
  const fault = faultOf(it)
  if (fault === undefined) return it as Descriptor
  throw new BuilderError('INVALID', { operation: 'read descriptor', object: where, reason: fault })
}

function faultOf(it: Partial<Descriptor> | null): string | undefined {
  if (typeof it !== 'object' || it === null) return 'it is not a JSON object'
  if (typeof it.mediaType !== 'string' || it.mediaType === '') return 'mediaType is missing'
  if (!isDigest(it.digest)) return `digest ${JSON.stringify(it.digest)} is not a sha256 digest`
  if (!Number.isSafeInteger(it.size) || (it.size as number) < 0)
    return `size ${JSON.stringify(it.size)} is not a number of bytes`
  return undefined
}
