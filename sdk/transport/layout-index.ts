import { canonicalJson } from '../image/config.js'
import { type Descriptor, mediaTypes } from '../image/descriptor.js'
import type { Index } from '../image/manifest.js'
import { nameAnnotations } from './layout.js'

/** The content of a layout's `oci-layout` file. Source: OCI image-spec, image-layout.md. */
export const layoutFile = '{"imageLayoutVersion":"1.0.0"}'

/** The entry of index.json for an image. */
export function entryFor({ mediaType, digest, size }: Descriptor, ref: string | undefined): Descriptor {
  return { mediaType, digest, size, ...(ref === undefined ? {} : { annotations: { [nameAnnotations[0]]: ref } }) }
}

/** An index with an entry more; what had the same ref, or is the same nameless image, goes. */
export function withEntry(index: Index | undefined, entry: Descriptor): Index {
  const ref = refOf(entry)
  const kept = (index?.manifests ?? []).filter(
    (other) => refOf(other) !== ref || (!ref && other.digest !== entry.digest),
  )
  const start = index ?? { schemaVersion: 2 as const, mediaType: mediaTypes.index }
  return { ...start, manifests: [...kept, entry] }
}

/** The bytes of index.json. */
export function indexBytes(index: Index): Buffer {
  return Buffer.from(canonicalJson(index))
}

function refOf({ annotations }: Descriptor): string | undefined {
  return annotations?.[nameAnnotations[0]]
}
