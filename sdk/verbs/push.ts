import { findImageOrList } from '../store/find-image.js'
import { openStore, type Store } from '../store/store.js'
import { localSource } from '../transport/local.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import { openSink } from '../transport/transport.js'
import type { GlobalOptions } from './global.js'
import { writeResult } from './result-file.js'
import { rmi } from './rmi.js'
import { checkTransfer, type TransferOptions, transferImage } from './transfer/copy-transfer.js'
import { pushDestination } from './transfer/push-destination.js'

/** Options of {@link push}. */
export interface PushOptions extends GlobalOptions, RegistryOptions, TransferOptions {
  /** Push the images of all platforms of a list, and the list itself. */
  all?: boolean
  /**
   * Write the manifest's digest to a file.
   * @placeholder FILE
   */
  digestfile?: string
  /**
   * Leave layers that were made here as they are, for a registry too. Same as `--compression-format none`.
   * @short D
   */
  disableCompression?: boolean
  /** Take the name away from the store afterwards, and the image with its last name, as `rmi` does. */
  rm?: boolean
}

/** A pushed image. */
export interface PushResult {
  /** Digest of the manifest at the destination. */
  readonly digest: string
}

/**
 * Copies an image out of the store.
 *
 * The destination is `docker://REGISTRY/NAME[:TAG]`, `oci:PATH[:REF]`, `oci-archive:FILE[:REF]`, `docker-archive:FILE[:NAME]`
 * or `dir:PATH`; a name without a transport is one in a registry, and without a destination the image goes where its own
 * name says. Layers that came compressed keep their bytes, so that their digests stay. Layers made here are compressed with
 * gzip for a registry, and written as they are elsewhere; the flags change that. The same image has the same digest on
 * every machine. An `oci:` layout gets the image beside those it has; an `oci-archive:` and a `dir:` that are there are
 * replaced; a `docker-archive:` is not.
 *
 * Throws `NOT_FOUND` for an unknown image, `EXISTS` where a docker-archive is there already, or something else than an image,
 * `DIGEST` when a layer in the store was altered, `NETWORK` when a registry cannot be reached, `DENIED` when it refuses.
 *
 * @verb
 * @where inside
 * @stdout The digest of the manifest.
 * @param image - Name or ID of an image.
 * @param destination - transport:path, or a name in a registry; default: the image's own name.
 * @example
 * ```sh
 * builder push web docker://registry.example.com/site/web:1.0
 * ```
 * @example
 * ```sh
 * builder push web oci-archive:web.tar
 * ```
 * @example
 * ```ts
 * import { push } from 'builder-sdk'
 * const { digest } = await push('web', 'oci:./layout:web')
 * ```
 */
export async function push(image: string, destination?: string, options: PushOptions = {}): Promise<PushResult> {
  const wanted: PushOptions = options.disableCompression ? { ...options, compressionFormat: 'none' } : options
  checkTransfer(wanted, 'push')
  const store = await openStore(options)
  const { names } = await findImageOrList(store, image, 'push')
  const place = pushDestination(image, names, destination)
  const digest = await copyOut(store, image, place, wanted)
  if (options.digestfile) await writeResult(options.digestfile, digest)
  if (options.rm) await rmi([image], { root: store.root, runroot: store.runroot })
  return { digest }
}

/** What the shell door prints. */
export function present(result: PushResult): string {
  return result.digest
}

async function copyOut(store: Store, image: string, destination: string, options: PushOptions): Promise<string> {
  const { signal, all = false } = options
  await using source = await localSource(store, image, { all: true })
  await using sink = await openSink(store, destination, { registry: options, ...(signal ? { signal } : {}) })
  const { digest } = await transferImage(source, sink, options, { operation: 'push', destination, all, signal })
  return digest
}
