import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import type { LayerLimit } from './layer-limit.js'

/** A layer's blob on its way into the store, and the diffID that the image's configuration gives it. */
export interface Arrival {
  readonly blob: Descriptor
  readonly diffID: Digest
  readonly stream: AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
}

/** The same, and what its tar may grow to. */
export interface Bounded extends Arrival {
  readonly limit: LayerLimit
}
