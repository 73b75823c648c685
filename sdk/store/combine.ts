import { type Descriptor, mediaTypes } from '../image/descriptor.js'
import { emptyList, listBytes, withMembers } from '../image/list.js'
import { localName } from '../image/reference.js'
import { putBlob } from './blobs.js'
import { descriptorOf } from './images.js'
import { editEntries, entryFor, nameOf, readEntries, withName } from './index-file.js'
import { withLock } from './locks.js'
import type { Image } from './read-image.js'
import { type ImageList, readList } from './read-list.js'
import type { Store } from './store.js'

/**
 * Makes one list of images of the store, such as those of a build for several platforms, and gives it names; what has one of
 * them loses it. Members that have no name of their own are from then on the list's. Throws `INVALID`, `SYSTEM`.
 */
export async function combine(store: Store, images: readonly Image[], names: readonly string[]): Promise<ImageList> {
  const full = names.map(localName)
  const members = images.map(descriptorOf)
  const index = withMembers(emptyList, members)
  const bytes = listBytes(index)
  const purpose = `make list ${full[0] ?? ''}`
  const digests = new Set(members.map(({ digest }) => digest))
  const make = async () => {
    const descriptor = {
      mediaType: index.mediaType ?? mediaTypes.index,
      digest: await putBlob(store, bytes),
      size: bytes.length,
    }
    await editEntries(store, purpose, (entries) => {
      const kept = entries.filter((entry) => nameOf(entry) !== undefined || !digests.has(entry.digest))
      if (full.length > 0) return named(kept, descriptor, full)
      return kept.some(({ digest }) => digest === descriptor.digest) ? kept : [...kept, entryFor(descriptor)]
    })
    return readList(store, descriptor.digest, readEntries(store))
  }
  return withLock(store, 'store', () => withLock(store, 'lists', make, { purpose }), { shared: true, purpose })
}

function named(entries: readonly Descriptor[], list: Descriptor, names: readonly string[]): readonly Descriptor[] {
  return names.reduce((all, name) => withName(all, list, name), entries)
}
