import { BuilderError } from '../errors.js'
import { parseJson } from './config.js'
import { type Descriptor, isIndexType, isManifestType, mediaTypes, parseDescriptor } from './descriptor.js'

/** An image manifest. Source: OCI image-spec, manifest.md. */
export interface Manifest {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly artifactType?: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

/** An image index. Source: OCI image-spec, image-index.md. */
export interface Index {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly manifests: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

/** Most bytes a manifest or an index may have (4 MiB, distribution-spec "Pushing Manifests"). */
export const manifestSizeLimit = 4 * 1024 * 1024

/** Reads a manifest or an index. Throws `INVALID`. Tell them apart with {@link isIndex}. */
export function parseManifest(bytes: Uint8Array, where: string): Manifest | Index {
  if (bytes.length > manifestSizeLimit)
    throw invalid(where, `it has ${bytes.length} bytes, more than ${manifestSizeLimit}`)
  const value = parseJson(bytes, where) as Record<string, unknown> | null
  if (typeof value !== 'object' || value === null) throw invalid(where, 'it is not a JSON object')
  if (value.schemaVersion === 1)
    throw invalid(where, 'it is a Docker schema 1 manifest', 'push the image again with a current tool')
  if (value.schemaVersion !== 2) throw invalid(where, `schemaVersion ${JSON.stringify(value.schemaVersion)} is not 2`)
  return Array.isArray(value.manifests) ? readIndex(value, where) : readManifest(value, where)
}

export function isIndex(it: Manifest | Index): it is Index {
  return 'manifests' in it
}

/**
 * True for the manifest of a container image, whose layers are tar archives; false for an artifact: a signature, an
 * attestation, a chart.
 */
export function isContainerImage({ config, layers }: Manifest): boolean {
  if (config.mediaType !== mediaTypes.config && config.mediaType !== mediaTypes.dockerConfig) return false
  return layers.every(({ mediaType }) => layerType.test(mediaType))
}

const layerType = /^application\/vnd\.(oci\.image\.layer|docker\.image\.rootfs)\./

function readIndex(value: Record<string, unknown>, where: string): Index {
  if ('config' in value || 'layers' in value) throw invalid(where, 'it is both an index and a manifest')
  const mediaType = mediaTypeOf(value, isIndexType, mediaTypes.index, where)
  const manifests = (value.manifests as unknown[]).map((d, i) => parseDescriptor(d, `${where} manifests[${i}]`))
  return { ...(value as unknown as Index), mediaType, manifests }
}

function readManifest(value: Record<string, unknown>, where: string): Manifest {
  if (!Array.isArray(value.layers)) throw invalid(where, 'layers is missing')
  const mediaType = mediaTypeOf(value, isManifestType, mediaTypes.manifest, where)
  const config = parseDescriptor(value.config, `${where} config`)
  const layers = value.layers.map((d: unknown, i: number) => parseDescriptor(d, `${where} layers[${i}]`))
  return { ...(value as unknown as Manifest), mediaType, config, layers }
}

function mediaTypeOf(value: Record<string, unknown>, fits: (type: string) => boolean, fallback: string, where: string) {
  const mediaType = value.mediaType ?? fallback
  if (typeof mediaType === 'string' && fits(mediaType)) return mediaType
  throw invalid(where, `media type ${JSON.stringify(mediaType)} does not fit its content`)
}

function invalid(where: string, reason: string, hint?: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read manifest', object: where, reason, ...(hint ? { hint } : {}) })
}
