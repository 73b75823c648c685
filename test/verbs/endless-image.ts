/** An image that takes long to pull and no room: its layers are holes, and their digests are made up. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Descriptor, mediaTypes } from '../../sdk/image/descriptor.js'
import { digestOf, hexOf } from '../../sdk/image/digest.js'
import { hostPlatform } from '../../sdk/image/platform.js'

/** Writes the image as an OCI layout and gives the digests of its layers. */
export function endlessImage(folder: string, { layers = 1, size = 4_000_000_000 } = {}): readonly string[] {
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true })
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const holes = Array.from({ length: layers }, (_, i) => {
    const digest = digestOf(`layer ${i} of ${size} bytes`)
    writeFileSync(blob(folder, digest), '')
    truncateSync(blob(folder, digest), size)
    return { mediaType: mediaTypes.layer, digest, size }
  })
  const diff_ids = holes.map(({ digest }) => digest)
  const config = put(folder, mediaTypes.config, { ...hostPlatform(), rootfs: { type: 'layers', diff_ids } })
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: holes }
  const manifests = [put(folder, mediaTypes.manifest, manifest)]
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  return diff_ids
}

function put(folder: string, mediaType: string, value: unknown): Descriptor {
  const text = JSON.stringify(value)
  const digest = digestOf(text)
  writeFileSync(blob(folder, digest), text)
  return { mediaType, digest, size: Buffer.byteLength(text) }
}

function blob(folder: string, digest: ReturnType<typeof digestOf>): string {
  return join(folder, 'blobs/sha256', hexOf(digest))
}
