import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import type { Manifest } from '../image/manifest.js'

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
  /** Throws `UNSUPPORTED` or `INVALID` when it cannot hold such an image. */
  begin(plan: CopyPlan): Promise<void>
  /** True when the blob need not be put. */
  hasBlob(descriptor: Descriptor): Promise<boolean>
  /** Throws `DIGEST` when the bytes are not what the descriptor says. */
  putBlob(descriptor: Descriptor, stream: AsyncIterable<Uint8Array>): Promise<void>
  putManifest(bytes: Uint8Array, mediaType: string, digest: Digest, options: { readonly top: boolean }): Promise<void>
  /** Makes the image visible, at once. Throws `EXISTS` when the place is taken. */
  finish(): Promise<void>
}
