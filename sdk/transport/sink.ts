import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import type { Manifest } from '../image/manifest.js'
import type { Repository } from './source.js'

/** One image's manifest and the descriptor that names it. */
export interface PlannedImage {
  readonly descriptor: Descriptor
  readonly manifest: Manifest
}

/** Everything a copy is going to bring, each digest once. Known before the first blob moves. */
export interface CopyPlan {
  readonly top: Descriptor
  /** Manifests and indexes, children before parents, the top last. */
  readonly manifests: readonly Descriptor[]
  readonly images: readonly PlannedImage[]
  /** Configurations first, then layers, bottom first. They are put in this order. */
  readonly blobs: readonly Descriptor[]
  readonly signal?: AbortSignal
  /** Where in registries a blob is known to be. */
  readonly repositoriesWith?: (descriptor: Descriptor) => Promise<readonly Repository[]>
  /** A blob from its start once more, for a sink that lost what it was given. */
  readonly again?: (descriptor: Descriptor) => Promise<AsyncIterable<Uint8Array>>
}

/**
 * Where an image is written to. Nothing can be seen before {@link ImageSink.finish}; disposing of a sink that did not
 * finish removes what it wrote. A sink checks digest and size of what it is given. The calls come in this order:
 * `begin`, all configurations, layers (several at once), manifests, `finish`.
 */
export interface ImageSink extends AsyncDisposable {
  /** `transport:path[:ref]`, for messages. */
  readonly name: string
  /** How many blobs it takes at once; 4 when absent. */
  readonly concurrency?: number
  /** It holds layers uncompressed and writes a manifest of its own. */
  readonly isPlain?: true
  /** Throws `UNSUPPORTED` or `INVALID` when it cannot hold such an image. */
  begin(plan: CopyPlan): Promise<void>
  /** True when the blob need not be put. */
  hasBlob(descriptor: Descriptor): Promise<boolean>
  /** Throws `DIGEST` when the bytes are not what the descriptor says. */
  putBlob(descriptor: Descriptor, stream: AsyncIterable<Uint8Array>): Promise<void>
  /**
   * Takes a blob whose digest is only known at its end, such as a layer that is compressed on its way; called before
   * `begin`, for the plan holds what comes of it. Absent where blobs need their name or size before their bytes.
   */
  putStream?(stream: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<{ digest: Digest; size: number }>
  putManifest(bytes: Uint8Array, mediaType: string, digest: Digest, options: { readonly top: boolean }): Promise<void>
  /** Makes the image visible, at once. Throws `EXISTS` when the place is taken. */
  finish(): Promise<void>
}
