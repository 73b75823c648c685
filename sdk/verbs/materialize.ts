import { findImageOrList, type Image, isList, listImages, listLists } from '../store/images.js'
import { layerBlob } from '../store/layers.js'
import { listMembers } from '../store/read-list.js'
import { openStore, type Store } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link materialize}. */
export interface MaterializeOptions extends GlobalOptions {}

/**
 * Writes the layer blobs of images that exist only as directories, so that any OCI tool can read the store itself.
 *
 * A commit renames the container's changes into place and writes no blob; push makes it when it is needed. Run this before
 * another tool reads the store's folder as an `oci:` layout.
 *
 * Throws `NOT_FOUND` for an unknown image, `DIGEST` when a layer was altered.
 *
 * @verb
 * @where inside
 * @offline
 * @stdout The digest of each layer of the images.
 * @param images - Names or IDs of images and lists; none means all.
 * @example
 * ```sh
 * builder materialize web && skopeo inspect "oci:$HOME/.local/share/builder:localhost/web:latest"
 * ```
 * @example
 * ```ts
 * import { materialize } from 'builder-sdk'
 * await materialize(['web'])
 * ```
 */
export async function materialize(
  images: readonly string[] = [],
  options: MaterializeOptions = {},
): Promise<readonly string[]> {
  const store = await openStore(options)
  const chosen: Image[] = images.length > 0 ? [] : [...(await listImages(store))]
  for (const name of images) chosen.push(...(await imagesOf(store, name)))
  if (images.length === 0) chosen.push(...(await listMembers(store, await listLists(store))))
  const digests = new Set<string>()
  for (const { manifest, config } of chosen) {
    for (const [i, { digest }] of manifest.layers.entries()) {
      const diffID = config.rootfs.diff_ids[i]
      if (diffID === digest) await layerBlob(store, diffID, options.signal)
      digests.add(digest)
    }
  }
  return [...digests]
}

/** What the shell door prints. */
export function present(result: readonly string[]): string {
  return result.join('\n')
}

async function imagesOf(store: Store, name: string): Promise<readonly Image[]> {
  const found = await findImageOrList(store, name, 'materialize')
  return isList(found) ? listMembers(store, [found]) : [found]
}
