import { renderTemplate } from '../image/go-template.js'
import { parsePlatform } from '../image/platform.js'
import { openStore } from '../store/store.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import type { GlobalOptions } from './global.js'
import { checkPlaces, sourceAt } from './transfer/copy-places.js'
import { describeImage, type ImageInspection } from './transfer/inspect-describe.js'
import { repositoryOf, tagsOf } from './transfer/inspect-tags.js'

export type { ImageInspection, LayerData } from './transfer/inspect-describe.js'

/** Options of {@link imageInspect}. */
export interface ImageInspectOptions extends GlobalOptions, RegistryOptions {
  /** Print the manifest or the list, byte for byte; with --config the configuration. */
  raw?: boolean
  /** Print the image's configuration. */
  config?: boolean
  /**
   * Print only what a Go template says, as {{.Digest}}; with --config as {{.config.Cmd}}.
   * @placeholder TEMPLATE
   */
  format?: string
  /**
   * Platform of the image, as os/arch[/variant]; digest and manifest are then that image's own, not the list's.
   * @placeholder PLATFORM
   */
  platform?: string
  /**
   * Do not ask the registry for the repository's tags.
   * @short n
   */
  noTags?: boolean
}

/**
 * Shows what an image is, wherever it is, without pulling it.
 *
 * The image is `docker://REGISTRY/NAME[:TAG]`, another transport:path, or an image of the store. Of a list, the digest is the
 * list's and the rest this machine's image, unless --platform names another. Field names are skopeo's.
 *
 * Throws `NOT_FOUND` for an image that is not there or not for the platform, `INVALID` and `DIGEST` for a damaged one,
 * `NETWORK` when a registry cannot be reached, `DENIED` when it refuses, `USAGE` for a template that cannot be read.
 *
 * @verb image inspect
 * @where outside
 * @stdout JSON, or what the flags say.
 * @param image - transport:path, or an image of the store.
 * @example
 * ```sh
 * builder image inspect --format '{{.Architecture}} {{.Digest}}' docker://quay.io/fedora/fedora:40
 * ```
 * @example
 * ```sh
 * builder image inspect --raw docker://quay.io/fedora/fedora:40 | sha256sum
 * ```
 * @example
 * ```ts
 * import { imageInspect } from 'builder-sdk'
 * const { Digest, Labels } = await imageInspect('docker://quay.io/fedora/fedora:40')
 * ```
 */
export async function imageInspect(image: string, options: ImageInspectOptions = {}): Promise<ImageInspection> {
  checkPlaces(image)
  const { signal, noTags = false, raw = false, config = false } = options
  const platform = options.platform === undefined ? {} : { platform: parsePlatform(options.platform) }
  const access = { registry: options, ...(signal ? { signal } : {}) }
  await using source = await sourceAt(await openStore(options), image, access)
  const described = await describeImage(source, { ...platform, isManifestOnly: raw && !config })
  const wantsTags = !noTags && !raw && !config
  const tags = wantsTags ? await tagsOf(image, access) : []
  return { ...described, Name: repositoryOf(image, source.suggestedName), RepoTags: tags }
}

/** What the shell door prints. */
export function present(result: ImageInspection, { raw, config, format }: ImageInspectOptions): string | Uint8Array {
  const { Manifest, Config = '', ...shown } = result
  if (raw) return new TextEncoder().encode(config ? Config : Manifest)
  const value: object = config ? JSON.parse(Config) : { ...absent, ...shown }
  return format === undefined ? JSON.stringify(config ? value : shown, null, 4) : renderTemplate(format, value)
}

/** A template may ask for a field that an image leaves out. */
const absent = { Created: '', DockerVersion: '', Architecture: '', Variant: '', Os: '' }
