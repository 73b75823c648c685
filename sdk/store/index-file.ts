import { readFileSync } from 'node:fs'
import { asBuilderError, BuilderError } from '../errors.js'
import { canonicalJson } from '../image/config.js'
import type { Descriptor } from '../image/descriptor.js'
import { type Index, isIndex, parseManifest } from '../image/manifest.js'
import { withLock } from './locks.js'
import { indexPath, type Store } from './store.js'
import { replaceFile } from './temporary.js'

/** The annotation that names an image. Source: OCI image-spec, annotations.md. */
export const refName = 'org.opencontainers.image.ref.name'

/** The entries of index.json: one for each name, a nameless one for an image that has none. Throws `INVALID`. */
export function readEntries(store: Store): readonly Descriptor[] {
  return readIndex(store).manifests
}

/** The name of an entry; undefined for a nameless one. */
export function nameOf(entry: Descriptor): string | undefined {
  return entry.annotations?.[refName]
}

/**
 * Changes index.json as one step under its lock; the same list given back writes nothing. Throws `INVALID`, `SYSTEM`.
 */
export async function editEntries(
  store: Store,
  purpose: string,
  edit: (entries: readonly Descriptor[]) => readonly Descriptor[],
): Promise<void> {
  await withLock(
    store,
    'index',
    () => {
      const index = readIndex(store)
      const manifests = edit(index.manifests)
      if (manifests === index.manifests) return
      replaceFile(store, indexPath(store), canonicalJson({ ...index, manifests }), { flush: true })
    },
    { purpose },
  )
}

/** The entry of an image under a name, or without one. */
export function entryFor(image: Descriptor, name?: string): Descriptor {
  const { annotations, ...rest } = image
  const { [refName]: _old, ...others } = annotations ?? {}
  const kept = { ...others, ...(name === undefined ? {} : { [refName]: name }) }
  return Object.keys(kept).length === 0 ? rest : { ...rest, annotations: kept }
}

/** Takes a name off whatever has it; an image whose last name it was stays as a nameless entry. */
export function withoutName(entries: readonly Descriptor[], name: string): readonly Descriptor[] {
  const old = entries.find((entry) => nameOf(entry) === name)
  if (!old) return entries
  const rest = entries.filter((entry) => entry !== old)
  return rest.some((entry) => entry.digest === old.digest) ? rest : [...rest, entryFor(old)]
}

/** Gives an image a name, taking it off another; the image's nameless entry goes. */
export function withName(entries: readonly Descriptor[], image: Descriptor, name: string): readonly Descriptor[] {
  const others = withoutName(entries, name).filter((it) => it.digest !== image.digest || nameOf(it) !== undefined)
  return [...others, entryFor(image, name)]
}

function readIndex(store: Store): Index {
  const path = indexPath(store)
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw asBuilderError(error, 'read the list of images', path)
  }
  const index = parseManifest(bytes, path)
  if (isIndex(index)) return index
  throw new BuilderError('INVALID', {
    operation: 'read the list of images',
    object: path,
    reason: 'it is no OCI index',
  })
}
