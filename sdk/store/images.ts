import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import { digestOf } from '../image/digest.js'
import { localName } from '../image/reference.js'
import { hasBlob, putBlob } from './blobs.js'
import { collect } from './collect.js'
import { listContainers } from './container-files.js'
import { editEntries, entryFor, readEntries, withName, withoutName } from './index-file.js'
import { hasLayer } from './layers.js'
import { withLock } from './locks.js'
import { type Image, parseImage, readImage } from './read-image.js'
import { type ImageList, isList, readList } from './read-list.js'
import type { Store } from './store.js'

export { findImage, findImageOrList, nameMeant } from './find-image.js'
export { type Image, imageSize, listImages } from './read-image.js'
export { type ImageList, isList, listLists } from './read-list.js'

/**
 * Makes an image visible. Its config must be in the store as a blob, its layers as blobs or unpacked; a name that
 * another image has moves to this one. Names are made full ({@link localName}). Throws `INVALID`, `NOT_FOUND`, `SYSTEM`.
 */
export async function addImage(store: Store, manifestBytes: Uint8Array, names: readonly string[]): Promise<Image> {
  const full = names.map(localName)
  const purpose = `add image ${full[0] ?? ''}`
  const digest = digestOf(manifestBytes)
  return withLock(
    store,
    'store',
    async () => {
      const image = await parseImage(store, manifestBytes, digest, full)
      checkLayers(store, image)
      await putBlob(store, manifestBytes)
      await editEntries(store, purpose, (entries) => added(entries, descriptorOf(image), full))
      return readImage(store, digest, readEntries(store))
    },
    { shared: true, purpose },
  )
}

/** Gives an image one more name, taking it off another image that has it. Throws `INVALID`, `NOT_FOUND`, `SYSTEM`. */
export async function tagImage(store: Store, image: Image, name: string): Promise<Image> {
  await tagEntry(store, image, name)
  return readImage(store, image.manifestDigest, readEntries(store))
}

/** Gives a list one more name, taking it off what has it. Throws `INVALID`, `NOT_FOUND`, `SYSTEM`. */
export async function tagList(store: Store, list: ImageList, name: string): Promise<ImageList> {
  await tagEntry(store, list, name)
  return readList(store, list.digest, readEntries(store))
}

async function tagEntry(store: Store, found: Image | ImageList, name: string): Promise<void> {
  const full = localName(name)
  const digest = isList(found) ? found.digest : found.manifestDigest
  await editEntries(store, `tag ${full}`, (entries) => {
    const own = entries.find((entry) => entry.digest === digest) ?? entryOfMember(entries, found)
    if (!own) throw gone(found)
    return withName(entries, own, full)
  })
}

/** An image that only a list has gets an entry of its own with its first name. */
function entryOfMember(entries: readonly Descriptor[], found: Image | ImageList): Descriptor | undefined {
  if (isList(found) || !found.list) return undefined
  const { digest } = found.list
  return entries.some((entry) => entry.digest === digest) ? descriptorOf(found) : undefined
}

/** Takes a name away; the image stays, nameless when it was the last. Throws `NOT_FOUND`, `INVALID`, `SYSTEM`. */
export async function untagImage(store: Store, name: string): Promise<void> {
  const full = localName(name)
  await editEntries(store, `untag ${full}`, (entries) => {
    const rest = withoutName(entries, full)
    if (rest !== entries) return rest
    const reason = 'no image has this name'
    throw new BuilderError('NOT_FOUND', { operation: 'untag', object: full, reason, hint: 'see builder images' })
  })
}

/**
 * Removes an image with all its names, and the blobs and layers that nothing else needs. Takes the lock `store`
 * alone, so the caller must not hold it; run it inside the namespace. With `force` also when a container uses it:
 * the container keeps its layers. Throws `IN_USE` (naming the containers), `SYSTEM`.
 */
export async function removeImage(store: Store, image: Image, options: { force?: boolean } = {}): Promise<void> {
  const purpose = `remove image ${image.names[0] ?? image.id}`
  await withLock(
    store,
    'store',
    async () => {
      const users = (await listContainers(store)).filter(({ from }) => from?.manifestDigest === image.manifestDigest)
      const names = users.map(({ name }) => name)
      if (names.length > 0 && !options.force) throw inUse(image, names)
      await editEntries(store, purpose, (all) => all.filter((entry) => entry.digest !== image.manifestDigest))
      const { config, layers } = image.manifest
      const blobs = [image.manifestDigest, config.digest, ...layers.map(({ digest }) => digest)]
      const { diff_ids } = image.config.rootfs
      await collect(store, { blobs: [...blobs, ...diff_ids], layers: diff_ids })
    },
    { purpose },
  )
}

/** The descriptor of an image with its platform, as an index names it. */
export function descriptorOf({ manifest, manifestDigest, manifestSize, config }: Image): Descriptor {
  const { os, architecture, variant, 'os.version': version, 'os.features': features } = config
  const platform = {
    os,
    architecture,
    ...(variant ? { variant } : {}),
    ...(version ? { 'os.version': version } : {}),
    ...(features?.length ? { 'os.features': features } : {}),
  }
  return { mediaType: manifest.mediaType, digest: manifestDigest, size: manifestSize, platform }
}

function checkLayers(store: Store, { manifest, manifestDigest, config }: Image): void {
  const lost = manifest.layers.find(({ digest, size }, i) => {
    const diffID = config.rootfs.diff_ids[i]
    return !hasBlob(store, digest, size) && !(diffID && hasLayer(store, diffID))
  })
  if (!lost) return
  const reason = `its layer ${lost.digest} is not in the store`
  throw new BuilderError('NOT_FOUND', { operation: 'add image', object: manifestDigest, reason })
}

function added(entries: readonly Descriptor[], image: Descriptor, names: readonly string[]): readonly Descriptor[] {
  if (names.length > 0) return names.reduce((all, name) => withName(all, image, name), entries)
  return entries.some(({ digest }) => digest === image.digest) ? entries : [...entries, entryFor(image)]
}

function gone(image: Image | ImageList): BuilderError {
  const reason = 'it was removed in the meantime'
  return new BuilderError('NOT_FOUND', { operation: 'tag', object: image.names[0] ?? image.id, reason })
}

function inUse(image: Image, containers: readonly string[]): BuilderError {
  const one = containers.length === 1
  return new BuilderError('IN_USE', {
    operation: 'remove image',
    object: image.names[0] ?? image.id,
    reason: `${one ? 'container' : 'containers'} ${containers.join(', ')} ${one ? 'uses' : 'use'} it`,
    hint: `remove ${one ? 'it' : 'them'} first (builder rm ${containers.join(' ')}), or force`,
  })
}
