import { BuilderError } from '../errors.js'
import { type Descriptor, mediaTypes } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import type { Manifest } from '../image/manifest.js'
import type { CompressionFormat } from '../layer/compress-blocks.js'

/** How the layers of an image are to be compressed on their way. */
export interface Compression {
  readonly format: CompressionFormat
  /** gzip 1 to 9, zstd 1 to 22; 3 when absent. */
  readonly level?: number
  /** Layers that are compressed already, too; without it they keep their bytes. */
  readonly force?: boolean
}

/** What a blob became when it was compressed, kept for the next time. */
export interface CompressedBlobs {
  /** The outcome for a blob of this digest and this kind of compression. */
  find(source: Digest, kind: string): { readonly digest: Digest; readonly size: number } | undefined
  note(source: Digest, kind: string, result: { readonly digest: Digest; readonly size: number }): void
}

/** The layers of a manifest that change. Foreign ones and those of unknown types stay. Throws `UNSUPPORTED`. */
export function layersToCompress({ layers }: Manifest, { format, force = false }: Compression): readonly Descriptor[] {
  return layers.filter(({ mediaType, urls }) => {
    const known = layerType.exec(mediaType)
    if (!known || urls?.length) return false
    const isPlain = known.groups?.suffix === undefined
    if (format === 'none') return force && !isPlain
    return isPlain || force
  })
}

/** The descriptor of a layer in another compression. Throws `UNSUPPORTED`. */
export function recompressed(
  layer: Descriptor,
  format: CompressionFormat,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Descriptor {
  const { annotations, ...rest } = layer
  const kept = Object.entries(annotations ?? {}).filter(([name]) => !aboutBytes.test(name))
  const mediaType = typeIn(layer.mediaType, format)
  return { ...rest, mediaType, digest, size, ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}) }
}

/** The media type of such a layer in another compression. Throws `UNSUPPORTED` where Docker has none. */
export function typeIn(mediaType: string, format: CompressionFormat): string {
  if (!mediaType.startsWith('application/vnd.docker.'))
    return { none: mediaTypes.layer, gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd }[format]
  if (format !== 'zstd') return format === 'gzip' ? mediaTypes.dockerLayerGzip : mediaTypes.dockerLayer
  throw new BuilderError('UNSUPPORTED', {
    operation: 'compress image',
    object: 'zstd',
    reason: "the image has a Docker manifest, and Docker's manifests have no zstd layers",
    hint: 'use --format oci with it, or --compression-format gzip',
  })
}

const layerType =
  /^application\/vnd\.(oci\.image\.layer\.v1|docker\.image\.rootfs\.diff)\.tar(?<suffix>[.+](gzip|zstd))?$/
/** Tables of contents of seekable layers, which say where in the compressed bytes a file is. */
const aboutBytes = /^(io\.github\.containers\.zstd-chunked|containerd\.io\/snapshot\/stargz)/
