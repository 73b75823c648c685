import { parseConfig } from '../image/config.js'
import { type Descriptor, isIndexType, isManifestType } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { isContainerImage, isIndex, manifestSizeLimit, parseManifest } from '../image/manifest.js'
import { blobPath, hasBlob, listBlobs, readBlob, removeBlob } from './blobs.js'
import { listContainers } from './container-files.js'
import { readEntries } from './index-file.js'
import { layersOfSteps } from './kept-steps.js'
import { listLayers, removeLayer } from './layers.js'
import type { Store } from './store.js'

/** What something in the store needs. */
export interface References {
  readonly blobs: ReadonlySet<Digest>
  readonly layers: ReadonlySet<Digest>
}

/** What was deleted; bytes of disk. */
export interface Collected {
  readonly blobs: number
  readonly layers: number
  readonly bytes: number
}

/**
 * Everything that an image, a container or a kept step needs. Throws `INVALID`, `DIGEST` or `NOT_FOUND`, naming the file, when an
 * image or a container cannot be read: what it needs is not known then, and nothing may be deleted.
 */
export async function references(store: Store): Promise<References> {
  const blobs = new Set<Digest>()
  const layers = new Set<Digest>()
  for (const entry of readEntries(store)) await addManifest(store, entry, blobs, layers)
  for (const record of await listContainers(store)) {
    for (const { digest } of record.layerDescriptors) blobs.add(digest)
    for (const diffID of [...record.layers, ...(record.adopting ? [record.adopting] : [])]) {
      layers.add(diffID)
      blobs.add(diffID)
    }
  }
  for (const diffID of layersOfSteps(store)) {
    layers.add(diffID)
    blobs.add(diffID)
  }
  return { blobs, layers }
}

/**
 * Deletes the blobs and layers that nothing needs: all of the store, or only candidates. The caller holds the lock
 * `store` alone and is inside the namespace. Throws as {@link references}, and `SYSTEM`.
 */
export async function collect(
  store: Store,
  candidates?: { blobs: readonly Digest[]; layers: readonly Digest[] },
): Promise<Collected> {
  const needed = await references(store)
  const wanted = candidates ?? { blobs: await listBlobs(store), layers: await listLayers(store) }
  const blobs = [...new Set(wanted.blobs)].filter((digest) => !needed.blobs.has(digest) && hasBlob(store, digest))
  const layers = [...new Set(wanted.layers)].filter((diffID) => !needed.layers.has(diffID))
  let bytes = 0
  for (const digest of blobs) bytes += await removeBlob(store, digest)
  for (const diffID of layers) bytes += await removeLayer(store, diffID)
  return { blobs: blobs.length, layers: layers.length, bytes }
}

async function addManifest(store: Store, entry: Descriptor, blobs: Set<Digest>, layers: Set<Digest>): Promise<void> {
  blobs.add(entry.digest)
  const path = blobPath(store, entry.digest)
  const manifest = parseManifest(await readBlob(store, entry.digest, manifestSizeLimit), path)
  if (isIndex(manifest)) {
    for (const part of manifest.manifests) {
      blobs.add(part.digest)
      // An index may name images that were never fetched, and what is no manifest at all.
      const isDocument = isManifestType(part.mediaType) || isIndexType(part.mediaType)
      if (isDocument && hasBlob(store, part.digest)) await addManifest(store, part, blobs, layers)
    }
    return
  }
  for (const { digest } of [manifest.config, ...manifest.layers]) blobs.add(digest)
  // An artifact beside the images of an index has a configuration of its own kind.
  if (!isContainerImage(manifest)) return
  const config = parseConfig(await readBlob(store, manifest.config.digest), blobPath(store, manifest.config.digest))
  for (const diffID of config.rootfs.diff_ids) {
    layers.add(diffID)
    blobs.add(diffID)
  }
}
