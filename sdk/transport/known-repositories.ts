import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { parseReference } from '../image/reference.js'
import { listImages } from '../store/read-image.js'
import type { Store } from '../store/store.js'
import type { Repository } from './source.js'

/**
 * Where a blob of the store may also be: the repositories that its images with that blob are named after, for what was
 * pulled is there. It is a guess; a registry that knows better is sent the blob. The images are read at the first question.
 */
export function knownRepositories(store: Store): (blob: Descriptor) => Promise<readonly Repository[]> {
  let known: Promise<ReadonlyMap<Digest, readonly Repository[]>> | undefined
  return async ({ digest }) => {
    known ??= repositoriesByBlob(store)
    return (await known).get(digest) ?? []
  }
}

async function repositoriesByBlob(store: Store): Promise<ReadonlyMap<Digest, readonly Repository[]>> {
  const found = new Map<Digest, Repository[]>()
  // A damaged image is the concern of whoever asks for it.
  for (const { names, manifest } of await listImages(store, () => {})) {
    const places = names.map(parseReference).flatMap(({ registry, repository }) => {
      return registry === undefined || registry === 'localhost' ? [] : [{ registry, repository }]
    })
    for (const { digest } of [manifest.config, ...manifest.layers])
      found.set(digest, [...(found.get(digest) ?? []), ...places])
  }
  return found
}
