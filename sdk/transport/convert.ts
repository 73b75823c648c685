import { canonicalJson } from '../image/config.js'
import { type Descriptor, isIndexType, isManifestType, mediaTypes } from '../image/descriptor.js'
import { type Digest, digestOf } from '../image/digest.js'
import { layerTypeIn } from '../image/layer-type.js'
import { type Index, isIndex, type Manifest, parseManifest } from '../image/manifest.js'
import type { ImageSource } from './source.js'
import { missing } from './verify.js'

/** The two families of manifests: OCI's, and Docker's version 2, schema 2. */
export type ManifestFormat = 'oci' | 'v2s2'

/**
 * The same image or list with manifests of the other family. Configurations and layers stay as they are; the digests
 * of manifests change, and Docker's have no annotations. What is of that family already keeps its bytes. Throws
 * `UNSUPPORTED` for a layer that the family cannot name (zstd in Docker's).
 */
export function inFormat(source: ImageSource, format: ManifestFormat): ImageSource {
  const made = new Map<Digest, Uint8Array>()
  const child = async (descriptor: Descriptor): Promise<Descriptor> => {
    if (!isManifestType(descriptor.mediaType) && !isIndexType(descriptor.mediaType)) return descriptor
    const bytes = await convert(await source.manifest(descriptor), descriptor.mediaType)
    const digest = digestOf(bytes.bytes)
    made.set(digest, bytes.bytes)
    const { annotations, ...plain } = descriptor
    const kept = annotations && format === 'oci' ? { annotations } : {}
    return { ...plain, ...kept, mediaType: bytes.mediaType, digest, size: bytes.bytes.length }
  }
  const convert = async (bytes: Uint8Array, mediaType: string) => {
    const value = parseManifest(bytes, source.name)
    const wanted = isIndex(value) ? types[format].index : types[format].manifest
    const changed = isIndex(value)
      ? await indexIn(value, format, child)
      : mediaType === wanted
        ? value
        : manifestIn(value, format, source.name)
    if (changed === value) return { bytes, mediaType }
    return { bytes: new TextEncoder().encode(canonicalJson(changed)), mediaType: wanted }
  }
  return {
    ...source,
    async top() {
      const { bytes, mediaType } = await source.top()
      const top = await convert(bytes, mediaType)
      return { ...top, digest: digestOf(top.bytes) }
    },
    async manifest(descriptor) {
      const bytes = made.get(descriptor.digest)
      if (bytes) return bytes
      throw missing(source.name, `it has no manifest ${descriptor.digest}`)
    },
    blob: (descriptor) => source.blob(descriptor),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}

const types = {
  oci: { index: mediaTypes.index, manifest: mediaTypes.manifest, config: mediaTypes.config },
  v2s2: { index: mediaTypes.dockerIndex, manifest: mediaTypes.dockerManifest, config: mediaTypes.dockerConfig },
} as const

async function indexIn(
  index: Index,
  format: ManifestFormat,
  child: (descriptor: Descriptor) => Promise<Descriptor>,
): Promise<Index> {
  const manifests: Descriptor[] = []
  for (const descriptor of index.manifests) manifests.push(await child(descriptor))
  const isSame = manifests.every(({ digest }, i) => digest === index.manifests[i]?.digest)
  if (isSame && index.mediaType === types[format].index) return index
  if (format === 'v2s2') return { schemaVersion: 2, mediaType: types.v2s2.index, manifests }
  return { ...index, mediaType: types.oci.index, manifests }
}

function manifestIn({ config, layers, annotations }: Manifest, format: ManifestFormat, name: string): Manifest {
  const family = format === 'oci' ? 'oci' : 'docker'
  return {
    schemaVersion: 2,
    mediaType: types[format].manifest,
    config: { ...config, mediaType: types[format].config },
    layers: layers.map((layer) => ({ ...layer, mediaType: layerTypeIn(layer, family, `write ${name}`) })),
    ...(annotations && format === 'oci' ? { annotations } : {}),
  }
}
