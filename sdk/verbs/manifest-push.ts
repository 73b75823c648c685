import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import { dropList, findList } from '../store/lists.js'
import { openStore, type Store } from '../store/store.js'
import { inFormat } from '../transport/convert.js'
import { localSource } from '../transport/local.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import { type ImageSink, type ImageSource, openSink } from '../transport/transport.js'
import type { GlobalOptions } from './global.js'
import { writeResult } from './result-file.js'
import { checkTransfer, type TransferOptions, transferImage } from './transfer/copy-transfer.js'
import { pushDestination } from './transfer/push-destination.js'

/** Options of {@link manifestPush}. */
export interface ManifestPushOptions extends GlobalOptions, RegistryOptions, TransferOptions {
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
 * The destination is transport:path; without a transport it is a registry. As with `push`, layers made here are compressed
 * with gzip for a registry and stay as they are elsewhere, and what came compressed keeps its bytes: a list of images made
 * here has another digest in a registry than in the store. `--format v2s2` makes a Docker manifest list of
 * Docker manifests of it, which changes their digests and drops annotations. `--no-all` pushes the list as the store has it.
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
  check(options)
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
  const place = pushDestination(list, [], destination)
  await using sink = await openSink(store, place, { registry: options, ...stopping })
  if (all)
    return await transferImage(own, sink, options, { operation: 'manifest push', destination: place, all, signal })
  return await copyListAlone(format ? inFormat(own, format) : own, sink, stopping)
}

/** Throws `USAGE`. */
function check(options: ManifestPushOptions): void {
  checkTransfer(options, 'manifest push')
  const { all = true, compressionFormat, compressionLevel, forceCompression } = options
  if (all || (compressionFormat === undefined && compressionLevel === undefined && !forceCompression)) return
  throw new BuilderError('USAGE', {
    operation: 'manifest push',
    object: '--no-all',
    reason: 'without its images a list is pushed as it is, and nothing is compressed',
    hint: 'leave out --no-all, or the flags of the compression',
  })
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
