import { parsePlatform } from '../image/platform.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { writeResult } from './result-file.js'
import { checkPlaces, checkPlatforms, sinkAt, sourceAt } from './transfer/copy-places.js'
import { type CopyOutline, outlineOf } from './transfer/copy-plan.js'
import { type SidesOptions, sidesOf } from './transfer/copy-sides.js'
import { checkTransfer, type TransferOptions, transferImage } from './transfer/copy-transfer.js'

/** Options of {@link imageCopy}. */
export interface ImageCopyOptions extends GlobalOptions, SidesOptions, TransferOptions {
  /**
   * Copy the images of all platforms, and the list that names them.
   * @short a
   */
  all?: boolean
  /**
   * Platform of the image, as os/arch[/variant]; default: this machine's.
   * @placeholder PLATFORM
   */
  platform?: string
  /** Fail rather than change a digest. */
  preserveDigests?: boolean
  /** Print what would be copied, as JSON, and copy nothing. */
  dryRun?: boolean
  /**
   * Write the manifest's digest to a file.
   * @placeholder FILE
   */
  digestfile?: string
}

/** A copied image. */
export interface ImageCopyResult {
  /** Digest of the manifest at the destination; with `dryRun` that of the source. */
  readonly digest: string
  /** What would be copied; only with `dryRun`. */
  readonly plan?: CopyOutline
}

/**
 * Copies an image from one place to another, without bringing it into the store.
 *
 * Both places are transport:path, as `docker://REGISTRY/NAME[:TAG]`, `oci:PATH[:REF]`, `oci-archive:FILE[:REF]`,
 * `docker-archive:FILE[:NAME]` or `dir:PATH`; a name without a transport is an image of the store. Every byte is checked
 * against its digest on the way. Layers go four at a time, and those that the destination has are not sent.
 *
 * Throws `NOT_FOUND` for a source that is not there, `EXISTS` for a place that is taken, `DIGEST` and `INVALID` for a damaged
 * image, `NETWORK` when a registry cannot be reached, `DENIED` when it refuses.
 *
 * @verb image copy
 * @where inside
 * @stdout The digest of the manifest; JSON with --dry-run.
 * @param source - Where the image is.
 * @param destination - Where to write it.
 * @example
 * ```sh
 * builder image copy --all docker://quay.io/fedora/fedora:40 oci:./mirror:fedora-40
 * ```
 * @example
 * ```ts
 * import { imageCopy } from 'builder-sdk'
 * const { digest } = await imageCopy('oci:./layout:web', 'docker://registry.example.com/site/web:1.0')
 * ```
 */
export async function imageCopy(
  source: string,
  destination: string,
  options: ImageCopyOptions = {},
): Promise<ImageCopyResult> {
  const { all = false, preserveDigests = false, signal } = options
  checkPlatforms('image copy', options.platform, options.all ?? false)
  checkTransfer(options, 'image copy', preserveDigests)
  checkPlaces(source, destination)
  const platform = options.platform === undefined ? {} : { platform: parsePlatform(options.platform) }
  const store = await openStore(options)
  const sides = sidesOf(options)
  const reached = signal ? { signal } : {}
  await using from = await sourceAt(store, source, { registry: sides.source, ...reached })
  if (options.dryRun) {
    const plan = await outlineOf(from, { all, ...platform })
    return { digest: plan.digest, plan }
  }
  await using to = await sinkAt(store, destination, { registry: sides.destination, ...reached })
  const transfer = { operation: 'image copy', destination, all, preserveDigests, signal, ...platform }
  const { digest } = await transferImage(from, to, options, transfer)
  if (options.digestfile) await writeResult(options.digestfile, digest)
  return { digest }
}

/** What the shell door prints. */
export function present({ digest, plan }: ImageCopyResult): string {
  return plan ? JSON.stringify(plan, null, 4) : digest
}
