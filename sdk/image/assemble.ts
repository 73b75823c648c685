import { canonicalJson, type History, type ImageConfig } from './config.js'
import { type Descriptor, mediaTypes } from './descriptor.js'
import { type Digest, digestOf } from './digest.js'
import { layerTypeIn } from './layer-type.js'
import type { Manifest } from './manifest.js'

/** What a new image is made of. */
export interface ImageParts {
  /** The execution parameters and platform; `rootfs` and `history` describe what is below the new layer. */
  readonly config: ImageConfig
  /** Layers below, bottom first, as their manifest describes them. */
  readonly layers: readonly Descriptor[]
  /** The new layer, uncompressed; undefined when nothing changed. */
  readonly layer: { readonly diffID: Digest; readonly size: number } | undefined
  /** History entries to add, oldest first; the last belongs to the layer. RFC 3339 times are set here. */
  readonly history: readonly History[]
  /** RFC 3339. */
  readonly created: string
  readonly annotations: Readonly<Record<string, string>>
  readonly format: 'oci' | 'docker'
  readonly omitHistory?: boolean
}

/** An image ready to be stored: bytes and values of its two documents. */
export interface AssembledImage {
  readonly configBytes: Uint8Array
  readonly manifestBytes: Uint8Array
  readonly manifest: Manifest
  readonly config: ImageConfig
}

/** Writes the config and the manifest of an image. Sources: OCI image-spec, config.md and manifest.md. */
export function assembleImage(parts: ImageParts): AssembledImage {
  const config = configOf(parts)
  const configBytes = new TextEncoder().encode(canonicalJson(config))
  const docker = parts.format === 'docker'
  const annotations = Object.keys(parts.annotations).length > 0 && !docker ? { annotations: parts.annotations } : {}
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.manifest,
    config: {
      mediaType: docker ? mediaTypes.dockerConfig : mediaTypes.config,
      digest: digestOf(configBytes),
      size: configBytes.length,
    },
    layers: layersOf(parts),
    ...annotations,
  }
  return { configBytes, manifestBytes: new TextEncoder().encode(canonicalJson(manifest)), manifest, config }
}

/** The descriptor of an uncompressed layer: its blob's digest is its diffID. */
export function layerDescriptor(layer: { readonly diffID: Digest; readonly size: number }): Descriptor {
  return { mediaType: mediaTypes.layer, digest: layer.diffID, size: layer.size }
}

function configOf(parts: ImageParts): ImageConfig {
  const { history: _, created: __, ...below } = parts.config
  const diffIDs = [...below.rootfs.diff_ids, ...(parts.layer ? [parts.layer.diffID] : [])]
  const history = parts.omitHistory ? {} : { history: historyOf(parts) }
  return { ...below, created: parts.created, rootfs: { type: 'layers', diff_ids: diffIDs }, ...history }
}

/** The number of entries without `empty_layer` is the number of layers, also where the image below had no history. */
function historyOf({ config, history, layer, created }: ImageParts): readonly History[] {
  const below = config.history ?? []
  const told = below.filter((entry) => !entry.empty_layer).length
  const untold = Math.max(config.rootfs.diff_ids.length - told, 0)
  const fill: History[] = Array.from({ length: untold }, () => ({
    comment: 'layer of the base image, which had no history',
  }))
  const last = history.length - 1
  const added = history.map((entry, i) => ({
    ...entry,
    created,
    ...(layer && i === last ? {} : { empty_layer: true }),
  }))
  return [...fill, ...below, ...added]
}

function layersOf({ layers, layer, format }: ImageParts): readonly Descriptor[] {
  const all = [...layers, ...(layer ? [layerDescriptor(layer)] : [])]
  return all.map((descriptor) => ({ ...descriptor, mediaType: layerTypeIn(descriptor, format, 'commit') }))
}
