import { parseConfig } from '../image/config.js'
import { isManifestType } from '../image/descriptor.js'
import { type Digest, hexOf } from '../image/digest.js'
import { isContainerImage, isIndex, manifestSizeLimit, parseManifest } from '../image/manifest.js'
import { blobPath, hasBlob, readBlob, streamBlob } from '../store/blobs.js'
import { findCompressed, noteCompressed } from '../store/compressed.js'
import { findImage, findImageOrList } from '../store/find-image.js'
import { streamLayer } from '../store/layer-stream.js'
import { acquireLock } from '../store/locks.js'
import type { Image } from '../store/read-image.js'
import { type ImageList, isList, lost, membersOf } from '../store/read-list.js'
import type { Store } from '../store/store.js'
import { knownRepositories } from './known-repositories.js'
import type { ImageSource, Top } from './source.js'
import { missing } from './verify.js'

/** What of the store is read. */
export interface LocalSourceOptions {
  /** The name of a list means the list with all its images; otherwise it means its image for this machine. */
  readonly all?: boolean
}

/**
 * An image of the store, or a list of images, by name or ID. Blobs that came with it leave as they came; a layer that
 * was made here has no blob until now: it is packed while it is read, the same bytes (then run inside the namespace).
 * While it is open, nothing is pruned. Throws `NOT_FOUND`.
 */
export async function localSource(
  store: Store,
  nameOrId: string,
  { all = false }: LocalSourceOptions = {},
): Promise<ImageSource> {
  const lock = await acquireLock(store, 'store', { shared: true, purpose: `copy ${nameOrId}` })
  try {
    const found = await (all ? findImageOrList : findImage)(store, nameOrId, 'read image')
    const start = startOf(found)
    const [suggestedName] = found.names
    const madeHere = once(() => diffIDsOf(store, found))
    return {
      name: suggestedName ?? start.id.slice(0, 12),
      ...(suggestedName === undefined ? {} : { suggestedName }),
      top: async () => ({ ...start.top, bytes: await read(store, start.top.digest) }),
      async manifest(descriptor) {
        if (isList(found) && !hasBlob(store, descriptor.digest)) throw lost(found, descriptor, 'read image')
        return read(store, descriptor.digest)
      },
      async blob({ digest, size }) {
        if (hasBlob(store, digest, size)) return streamBlob(store, digest)
        if (!(await madeHere()).has(digest))
          throw missing(nameOrId, `its blob ${digest} is not in the store`, 'pull the image again')
        return streamLayer(store, digest)
      },
      compressed: {
        find: (layer, kind) => findCompressed(store, layer, kind),
        note: (layer, kind, result) => noteCompressed(store, layer, kind, result),
      },
      repositoriesWith: knownRepositories(store),
      async [Symbol.asyncDispose]() {
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

function startOf(found: Image | ImageList): { id: string; top: Omit<Top, 'bytes'> } {
  if (isList(found)) return { id: found.id, top: { digest: found.digest, mediaType: found.index.mediaType } }
  const { manifest, manifestDigest } = found
  return { id: hexOf(manifest.config.digest), top: { digest: manifestDigest, mediaType: manifest.mediaType } }
}

function read(store: Store, digest: Digest): Promise<Uint8Array> {
  return readBlob(store, digest, manifestSizeLimit)
}

/** The layers that may have been made here, of every image of a list. */
async function diffIDsOf(store: Store, found: Image | ImageList): Promise<ReadonlySet<Digest>> {
  if (!isList(found)) return new Set(found.config.rootfs.diff_ids)
  const all = new Set<Digest>()
  for (const { digest, mediaType } of await membersOf(store, found.index)) {
    if (!isManifestType(mediaType) || !hasBlob(store, digest)) continue
    const manifest = parseManifest(await read(store, digest), blobPath(store, digest))
    if (isIndex(manifest) || !isContainerImage(manifest)) continue
    const { config } = manifest
    for (const diffID of parseConfig(await read(store, config.digest), blobPath(store, config.digest)).rootfs.diff_ids)
      all.add(diffID)
  }
  return all
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
