import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import type { CompressedBlobs } from './compression.js'

/** A repository of a registry: one that may have a blob already. */
export interface Repository {
  readonly registry: string
  readonly repository: string
}

/** The manifest or the index a source starts with: its bytes as they are, their media type and digest. */
export interface Top {
  readonly bytes: Uint8Array
  readonly mediaType: string
  readonly digest: Digest
}

/**
 * Where an image is read from. What a source gives is checked by whoever takes it (see verify.ts): manifests come
 * checked against their descriptor, blobs do not.
 */
export interface ImageSource extends AsyncDisposable {
  /** `transport:path[:ref]`, for messages. */
  readonly name: string
  /** The image's own name where it carries one: what a store may call it. Not yet parsed. */
  readonly suggestedName?: string
  /** Throws `NOT_FOUND`, `INVALID`, `DIGEST`. */
  top(): Promise<Top>
  /** The bytes of a manifest or an index below the top. Throws `NOT_FOUND`, `INVALID`, `DIGEST`. */
  manifest(descriptor: Descriptor): Promise<Uint8Array>
  /** A configuration or a layer. Throws `NOT_FOUND`. */
  blob(descriptor: Descriptor): Promise<AsyncIterable<Uint8Array>>
  /** Where in registries a blob is known to be: a sink there need not be sent it. */
  repositoriesWith?(descriptor: Descriptor): Promise<readonly Repository[]>
  /** What its blobs became when they were compressed before. */
  readonly compressed?: CompressedBlobs
}
