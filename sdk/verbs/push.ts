import { openStore } from '../store/store.js'
import { copyImage } from '../transport/copy.js'
import { localSource } from '../transport/local.js'
import { openSink } from '../transport/transport.js'
import type { GlobalOptions } from './global.js'
import { writeResult } from './result-file.js'

/** Options of {@link push}. */
export interface PushOptions extends GlobalOptions {
  /**
   * Write the manifest's digest to a file.
   * @placeholder FILE
   */
  digestfile?: string
  /**
   * Accepted for buildah's scripts: layers made here are written as they are, not compressed.
   * @short D
   */
  disableCompression?: boolean
  /**
   * Accepted for buildah's scripts: images are read and written as files, which needs no login.
   * @placeholder FILE
   */
  authfile?: string
  /** Accepted for buildah's scripts: images are read and written as files, without a connection. */
  tlsVerify?: boolean
  /**
   * Print nothing but the result.
   * @short q
   */
  quiet?: boolean
}

/** A pushed image. */
export interface PushResult {
  /** Digest of the manifest at the destination. */
  readonly digest: string
}

/**
 * Copies an image out of the store.
 *
 * Destinations: `oci:PATH[:REF]`, `oci-archive:FILE[:REF]`, `docker-archive:FILE[:NAME]` and `dir:PATH`. Layers that came
 * compressed keep their bytes, so that their digests stay; layers made here are written as they are. An `oci:` layout
 * gets the image beside those it has; an `oci-archive:` and a `dir:` that are there are replaced; a `docker-archive:` is not.
 *
 * Throws `NOT_FOUND` for an unknown image, `EXISTS` where a docker-archive is there already, or something else than an image,
 * `DIGEST` when a layer in the store was altered.
 *
 * @verb
 * @where inside
 * @stdout The digest of the manifest.
 * @param image - Name or ID of an image.
 * @param destination - transport:path.
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
export async function push(image: string, destination: string, options: PushOptions = {}): Promise<PushResult> {
  const store = await openStore(options)
  await using source = await localSource(store, image)
  await using sink = await openSink(store, destination)
  const { digest } = await copyImage(source, sink, options.signal ? { signal: options.signal } : {})
  if (options.digestfile) await writeResult(options.digestfile, digest)
  return { digest }
}

/** What the shell door prints. */
export function present(result: PushResult): string {
  return result.digest
}
