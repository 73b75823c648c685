import type { Descriptor } from '../image/descriptor.js'
import { dropList, findList } from '../store/lists.js'
import { openStore, type Store } from '../store/store.js'
import { inFormat } from '../transport/convert.js'
import { copyImage } from '../transport/copy.js'
import { localSource } from '../transport/local.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import { type ImageSink, type ImageSource, openSink } from '../transport/transport.js'
import type { GlobalOptions } from './global.js'
import { type ProgressOptions, showProgress } from './progress.js'
import { pushDestination } from './push-destination.js'
import { writeResult } from './result-file.js'

/** Options of {@link manifestPush}. */
export interface ManifestPushOptions extends GlobalOptions, RegistryOptions, ProgressOptions {
  /**
   * Push the images too; without them the list alone, for a place that has them.
   * @negatable
   * @default true
   */
  all?: boolean
  /**
   * Write the digest of the list at the destination to a file.
   * @placeholder FILE
   */
  digestfile?: string
  /**
   * Form of the list and of its images' manifests at the destination. Default: as they are.
   * @short f
   */
  format?: 'oci' | 'v2s2'
  /** Remove the list afterwards. */
  rm?: boolean
}

/** A pushed list. */
export interface ManifestPushResult {
  /** Digest of the list at the destination. */
  readonly digest: string
}

/**
 * Copies a list and its images out of the store.
 *
 * The destination is transport:path; without a transport it is a registry. `--format v2s2` makes a Docker manifest list of
 * Docker manifests of it, which changes their digests and drops annotations.
 *
 * Throws `NOT_FOUND` for an unknown list, or when the store has lost one of its images, `INVALID` for an image, `UNSUPPORTED`
 * for a destination that holds no lists (docker-archive) and for a layer that Docker's form cannot name.
 *
 * @verb manifest push
 * @where inside
 * @stdout The digest of the list.
 * @param list - Name or ID of a list.
 * @param destination - transport:path.
 * @example
 * ```sh
 * builder manifest push web oci:./layout:web
 * ```
 * @example
 * ```ts
 * import { manifestPush } from 'builder-sdk'
 * const { digest } = await manifestPush('web', 'oci-archive:web.tar')
 * ```
 */
export async function manifestPush(
  list: string,
  destination: string,
  options: ManifestPushOptions = {},
): Promise<ManifestPushResult> {
  const store = await openStore(options)
  await findList(store, list, 'manifest push')
  const { digest } = await copyOut(store, list, destination, options)
  if (options.digestfile) await writeResult(options.digestfile, digest)
  if (options.rm) await dropList(store, await findList(store, list, 'manifest push'), list)
  return { digest }
}

/** What the shell door prints. */
export function present(result: ManifestPushResult): string {
  return result.digest
}

async function copyOut(store: Store, list: string, destination: string, options: ManifestPushOptions) {
  const { format, all = true, signal } = options
  const stopping = signal ? { signal } : {}
  await using own = await localSource(store, list, { all: true })
  const source = format ? inFormat(own, format) : own
  const place = pushDestination(list, [], destination)
  await using sink = await openSink(store, place, { registry: options, ...stopping })
  if (!all) return await copyListAlone(source, sink, stopping)
  await using progress = showProgress(options, 'manifest push')
  return await copyImage(source, sink, { all, onProgress: progress.onProgress, ...stopping })
}

async function copyListAlone(
  source: ImageSource,
  sink: ImageSink,
  stopping: { signal?: AbortSignal },
): Promise<Descriptor> {
  const { bytes, mediaType, digest } = await source.top()
  const top = { mediaType, digest, size: bytes.length }
  await sink.begin({ top, manifests: [top], images: [], blobs: [], ...stopping })
  await sink.putManifest(bytes, mediaType, digest, { top: true })
  await sink.finish()
  return top
}
