import { BuilderError } from '../errors.js'
import { parsePlatform } from '../image/platform.js'
import { localName } from '../image/reference.js'
import { findImage } from '../store/images.js'
import { openStore, type Store } from '../store/store.js'
import { copyImage } from '../transport/copy.js'
import { localSink } from '../transport/local-sink.js'
import { openSource, transportOf } from '../transport/transport.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link pull}. */
export interface PullOptions extends GlobalOptions {
  /**
   * Platform of the image, as os/arch[/variant]; default: this machine's.
   * @placeholder PLATFORM
   */
  platform?: string
  /** When to fetch: `missing` and `newer` keep an image that the store has. */
  policy?: 'always' | 'missing' | 'never' | 'newer'
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

/** A pulled image. */
export interface PullResult {
  /** 64 hexadecimal digits. */
  readonly id: string
  /** Digest of the manifest. Two manifests may have one config, and so one ID. */
  readonly digest: string
}

/**
 * Copies an image into the store.
 *
 * Sources: `oci:PATH[:REF]`, `oci-archive:FILE[:REF]`, `docker-archive:FILE[:NAME]` and `dir:PATH`. Every byte is checked
 * against its digest before anything becomes visible; layers unpack in parallel.
 *
 * Throws `NOT_FOUND` for a source or a reference that is not there, `DIGEST` and `INVALID` for a damaged one, `UNSAFE` for
 * one that tries to write outside its root.
 *
 * @verb
 * @where inside
 * @stdout The image's ID.
 * @param image - transport:path of the image.
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
  const store = await openStore(options)
  if (!transportOf(image)) {
    const { id, manifestDigest } = await localImage(store, image, options)
    return { id, digest: manifestDigest }
  }
  await using source = await openSource(store, image)
  await using sink = await localSink(store, namesFor(source.suggestedName), image)
  const platform = options.platform ? { platform: parsePlatform(options.platform) } : {}
  const { digest } = await copyImage(source, sink, {
    ...platform,
    ...(options.signal ? { signal: options.signal } : {}),
  })
  return { id: (await findImage(store, digest, 'pull')).id, digest }
}

/** What the shell door prints. */
export function present(result: PullResult): string {
  return result.id
}

/** A plain name is one of the store's own images, unless the policy insists on fetching. */
async function localImage(store: Store, image: string, { policy = 'missing' }: PullOptions) {
  if (policy !== 'always') return findImage(store, image, 'pull')
  throw new BuilderError('UNSUPPORTED', {
    operation: 'pull',
    object: image,
    reason: 'a plain name is an image in the store; there is nowhere to fetch it from',
    hint: 'name a source as oci:PATH, oci-archive:FILE, docker-archive:FILE or dir:PATH',
  })
}

function namesFor(suggested: string | undefined): string[] {
  if (suggested === undefined) return []
  try {
    return [localName(suggested)]
  } catch {
    return []
  }
}
