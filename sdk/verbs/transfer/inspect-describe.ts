import { isUtf8 } from 'node:buffer'
import { type ImageConfig, parseConfig } from '../../image/config.js'
import { type Descriptor, mediaTypes } from '../../image/descriptor.js'
import { isIndex, manifestSizeLimit } from '../../image/manifest.js'
import { hostPlatform, type Platform } from '../../image/platform.js'
import { chooseImage, readTop } from '../../transport/choose.js'
import type { ImageSource } from '../../transport/source.js'
import { broken, collect, verifyBytes } from '../../transport/verify.js'

/** A layer as a manifest names it. */
export interface LayerData {
  readonly MIMEType: string
  readonly Digest: string
  /** Bytes as it is stored, mostly compressed. */
  readonly Size: number
  readonly Annotations: Readonly<Record<string, string>> | null
}

/** What an image is; field names are skopeo's. What an artifact that is no container image does not say is absent. */
export interface ImageInspection {
  /** The repository with its registry; empty for a file without a name. */
  readonly Name: string
  /** Digest of the manifest, or of the list that the reference names. */
  readonly Digest: string
  /** Tags of the repository in its registry. */
  readonly RepoTags: readonly string[]
  /** Media type of what `Digest` names. */
  readonly MediaType: string
  /** RFC 3339. */
  readonly Created?: string
  readonly DockerVersion?: string
  readonly Labels: Readonly<Record<string, string>>
  readonly Architecture?: string
  readonly Variant?: string
  readonly Os?: string
  /** Digests of the layers, bottom first. */
  readonly Layers: readonly string[]
  readonly LayersData: readonly LayerData[]
  readonly Env: readonly string[]
  /** The manifest or the list as text, byte for byte. */
  readonly Manifest: string
  /** The configuration as text, byte for byte; absent with `raw` alone. */
  readonly Config?: string
}

/** What to read of a source. */
export interface Wanted {
  readonly platform?: Platform
  /** True where the configuration is not needed. */
  readonly isManifestOnly: boolean
}

/** Reads what an image is. Throws `NOT_FOUND`, `INVALID`, `DIGEST`. */
export async function describeImage(
  source: ImageSource,
  { platform, isManifestOnly }: Wanted,
): Promise<Omit<ImageInspection, 'Name' | 'RepoTags'>> {
  const top = await readTop(source)
  const isListEnough = isManifestOnly && !platform
  const image = isListEnough ? top : await chooseImage(source, top, platform ?? hostPlatform())
  const { descriptor, bytes } = platform ? image : top
  const named = { Digest: descriptor.digest, MediaType: descriptor.mediaType, Manifest: textOf(bytes, source.name) }
  if (isManifestOnly || isIndex(image.value)) return { ...named, Labels: {}, Layers: [], LayersData: [], Env: [] }
  const { config, layers } = image.value
  const configBytes = await readConfig(source, config)
  const isImage = config.mediaType === mediaTypes.config || config.mediaType === mediaTypes.dockerConfig
  return {
    ...named,
    ...ofConfig(isImage ? parseConfig(configBytes, source.name) : undefined),
    Layers: layers.map(({ digest }) => digest),
    LayersData: layers.map(layerData),
    Config: textOf(configBytes, source.name),
  }
}

function ofConfig(config: (ImageConfig & { readonly docker_version?: string }) | undefined) {
  const { created, docker_version: dockerVersion, architecture, variant, os } = config ?? {}
  return {
    ...(created === undefined ? {} : { Created: created }),
    ...(dockerVersion === undefined ? {} : { DockerVersion: dockerVersion }),
    Labels: config?.config?.Labels ?? {},
    ...(architecture === undefined ? {} : { Architecture: architecture }),
    ...(variant === undefined ? {} : { Variant: variant }),
    ...(os === undefined ? {} : { Os: os }),
    Env: config?.config?.Env ?? [],
  }
}

async function readConfig(source: ImageSource, config: Descriptor): Promise<Uint8Array> {
  const bytes = await collect(await source.blob(config), manifestSizeLimit, `${source.name}, its configuration`)
  verifyBytes(bytes, config, source.name)
  return bytes
}

function layerData({ mediaType, digest, size, annotations }: Descriptor): LayerData {
  return { MIMEType: mediaType, Digest: digest, Size: size, Annotations: annotations ?? null }
}

function textOf(bytes: Uint8Array, name: string): string {
  if (isUtf8(bytes)) return Buffer.from(bytes).toString()
  throw broken(name, 'its configuration is not text')
}
