import { parsePlatform } from '../image/platform.js'
import { openStore } from '../store/store.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import type { GlobalOptions } from './global.js'
import type { ProgressOptions } from './progress/progress.js'
import { checkPlatforms } from './transfer/copy-places.js'
import { pullImage } from './transfer/pull-image.js'

/** Options of {@link pull}. */
export interface PullOptions extends GlobalOptions, RegistryOptions, ProgressOptions {
  /** Bring the images of all platforms, and the list that names them. */
  allPlatforms?: boolean
  /**
   * Platform of the image, as os/arch[/variant]; default: this machine's.
   * @placeholder PLATFORM
   */
  platform?: string
  /**
   * When to ask a registry: `missing` takes the image of the store when it is there, `never` no other, `always` none;
   * `newer` fetches what has changed, and takes the store's when no registry answers. Default: missing.
   */
  policy?: 'always' | 'missing' | 'never' | 'newer'
}

/** A pulled image. */
export interface PullResult {
  /** 64 hexadecimal digits. */
  readonly id: string
  /** Digest of the manifest. Two manifests may have one config, and so one ID. */
  readonly digest: string
  /** Its full name in the store, when it was named and not an ID or a digest given. */
  readonly name?: string
}

/**
 * Copies an image into the store.
 *
 * A name is looked for in the store, and then asked for in the registry that it names; a short name where registries.conf
 * says. `docker://NAME` is the same with Docker Hub for a short name. Files are `oci:PATH[:REF]`, `oci-archive:FILE[:REF]`,
 * `docker-archive:FILE[:NAME]` and `dir:PATH`. What comes from a registry keeps its full name, as
 * docker.io/library/debian:12. Every byte is checked against its digest before anything becomes visible; layers unpack in
 * parallel.
 *
 * Throws `NOT_FOUND` for an image that is nowhere, `DIGEST` and `INVALID` for a damaged one, `UNSAFE` for one that tries to
 * write outside its root, `NETWORK` when a registry cannot be reached, `DENIED` when it refuses.
 *
 * @verb
 * @where inside
 * @stdout The image's ID.
 * @param image - Name of the image, or transport:path.
 * @example
 * ```sh
 * builder pull --policy newer quay.io/fedora/fedora:40
 * ```
 * @example
 * ```sh
 * builder pull oci-archive:web.tar
 * ```
 * @example
 * ```ts
 * import { pull } from 'builder-sdk'
 * const { id } = await pull('oci:./layout:web')
 * ```
 */
export async function pull(image: string, options: PullOptions = {}): Promise<PullResult> {
  const { platform, allPlatforms, ...rest } = options
  checkPlatforms('pull', platform, allPlatforms ?? false, '--all-platforms')
  const wanted = platform === undefined ? {} : { platform: parsePlatform(platform) }
  const all = allPlatforms === undefined ? {} : { allPlatforms }
  return pullImage(await openStore(options), image, { ...rest, ...wanted, ...all, operation: 'pull' })
}

/** What the shell door prints. */
export function present(result: PullResult): string {
  return result.id
}
