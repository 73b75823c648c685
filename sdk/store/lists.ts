import { BuilderError } from '../errors.js'
import { type Descriptor, mediaTypes } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { emptyList, listBytes, withMembers } from '../image/list.js'
import type { Index } from '../image/manifest.js'
import { localName } from '../image/reference.js'
import { putBlob } from './blobs.js'
import { collect } from './collect.js'
import { listContainers } from './container-files.js'
import { findImageOrList, nameMeant } from './find-image.js'
import { descriptorOf, untagImage } from './images.js'
import { editEntries, entryFor, nameOf, readEntries, withName } from './index-file.js'
import { tryLock, withLock } from './locks.js'
import type { Image } from './read-image.js'
import { type ImageList, isList, listLabel, listMembers, readList } from './read-list.js'
import type { Store } from './store.js'

/** Gives the index that a list is to have. What it reads from the store stays there until the list names it. */
export type ListEdit = (index: Index) => Index | Promise<Index>

/** Finds a list by name, ID or digest. Throws `NOT_FOUND`, and `INVALID` for an image. */
export async function findList(store: Store, nameOrId: string, operation: string): Promise<ImageList> {
  const found = await findImageOrList(store, nameOrId, operation)
  if (isList(found)) return found
  const hint = 'builder manifest create makes a list'
  throw new BuilderError('INVALID', { operation, object: nameOrId, reason: 'it is an image, not a list', hint })
}

/** Throws `EXISTS` when something has the name that a list is to have. */
export function checkFree(store: Store, name: string): void {
  refuseTaken(readEntries(store), localName(name))
}

/** Makes a list and gives it a name. Throws `EXISTS` when something has the name. */
export async function createList(store: Store, name: string, fill: ListEdit): Promise<ImageList> {
  const full = localName(name)
  const purpose = `create list ${full}`
  return editing(store, purpose, async () => {
    refuseTaken(readEntries(store), full)
    const descriptor = await putList(store, await fill(emptyList))
    await editEntries(store, purpose, (entries) => {
      refuseTaken(entries, full)
      return withName(entries, descriptor, full)
    })
    return readList(store, descriptor.digest, readEntries(store))
  })
}

/**
 * Changes a list under the name by which it is called; other names of the same list keep the old one, as tags of a registry
 * do. Run it inside the namespace. Throws `NOT_FOUND`, `INVALID`, `USAGE` for an ID that has several names.
 */
export async function editList(store: Store, nameOrId: string, operation: string, edit: ListEdit): Promise<ImageList> {
  const purpose = `${operation} ${nameOrId}`
  let before: ImageList | undefined
  const after = await editing(store, purpose, async () => {
    const list = await findList(store, nameOrId, operation)
    const name = nameToMove(list, nameOrId, operation)
    const descriptor = await putList(store, await edit(list.index))
    before = list
    await editEntries(store, purpose, (entries) => moved(entries, { list, name, descriptor, operation }))
    return readList(store, descriptor.digest, readEntries(store))
  })
  if (before && before.digest !== after.digest)
    await collectNow(store, candidatesOf([before], await listMembers(store, [before])), purpose)
  return after
}

/** Adds an image of the store to a list, and makes the list where there is none. Throws as {@link editList}. */
export async function addToList(store: Store, name: string, image: Image, operation: string): Promise<ImageList> {
  const add = (index: Index) => withMembers(index, [descriptorOf(image)])
  try {
    return await editList(store, name, operation, add)
  } catch (error) {
    if (!(error instanceof BuilderError) || error.code !== 'NOT_FOUND') throw error
    return createList(store, name, add)
  }
}

/**
 * Removes a list with all its names, and of its images those that have no name and that no container uses; one that a
 * container uses becomes an image without a name. Takes the lock `store` alone; run it inside the namespace. Throws `SYSTEM`.
 */
export async function removeList(store: Store, list: ImageList): Promise<void> {
  const purpose = `remove list ${listLabel(list)}`
  const remove = async () => {
    const members = await listMembers(store, [list])
    const users = new Set((await listContainers(store)).map(({ from }) => from?.manifestDigest))
    const used = members.filter(({ manifestDigest }) => users.has(manifestDigest))
    await editEntries(store, purpose, (entries) => {
      const rest = entries.filter(({ digest }) => digest !== list.digest)
      const known = new Set(rest.map(({ digest }) => digest))
      return [...rest, ...used.filter(({ manifestDigest }) => !known.has(manifestDigest)).map(descriptorOf)]
    })
    await collect(store, candidatesOf([list], members))
  }
  await withLock(store, 'store', remove, { purpose })
}

/** Takes the name away by which a list is called, and removes the list with its last one. Says what went: name or ID. */
export async function dropList(store: Store, list: ImageList, nameOrId: string): Promise<string> {
  const name = nameMeant(list.names, nameOrId)
  const isOneOfSeveral = name !== undefined && list.names.length > 1
  await (isOneOfSeveral ? untagImage(store, name) : removeList(store, list))
  return isOneOfSeveral ? name : list.id
}

/** The lists that name an image. */
export function listsWith(lists: readonly ImageList[], digest: Digest): readonly ImageList[] {
  return lists.filter(({ index }) => index.manifests.some((member) => member.digest === digest))
}

/** Takes images without a name out of the list of images, because a list has them now. Throws `SYSTEM`. */
export async function absorb(store: Store, digests: readonly Digest[]): Promise<void> {
  if (digests.length === 0) return
  const isAbsorbed = (entry: Descriptor) => nameOf(entry) === undefined && digests.includes(entry.digest)
  await editEntries(store, 'manifest add', (entries) =>
    entries.some(isAbsorbed) ? entries.filter((entry) => !isAbsorbed(entry)) : entries,
  )
  // A list whose images another list took over is needed by nobody.
  await collectNow(store, { blobs: digests, layers: [] }, 'manifest add')
}

/** Deletes candidates that nothing needs; while somebody else is at work they stay for `builder prune`. */
async function collectNow(store: Store, candidates: Candidates, purpose: string): Promise<void> {
  const lock = tryLock(store, 'store', { purpose })
  if (!lock) return
  try {
    await collect(store, candidates)
  } finally {
    lock.release()
  }
}

interface Candidates {
  readonly blobs: readonly Digest[]
  readonly layers: readonly Digest[]
}

/** Two who edit one list take turns; what the edit reads is not deleted meanwhile. */
async function editing<T>(store: Store, purpose: string, task: () => Promise<T>): Promise<T> {
  return withLock(store, 'store', () => withLock(store, 'lists', task, { purpose }), { shared: true, purpose })
}

async function putList(store: Store, index: Index): Promise<Descriptor> {
  const bytes = listBytes(index)
  return { mediaType: index.mediaType ?? mediaTypes.index, digest: await putBlob(store, bytes), size: bytes.length }
}

function refuseTaken(entries: readonly Descriptor[], name: string): void {
  const taken = entries.find((entry) => nameOf(entry) === name)
  if (!taken) return
  const isImage = taken.mediaType === mediaTypes.manifest || taken.mediaType === mediaTypes.dockerManifest
  throw new BuilderError('EXISTS', {
    operation: 'manifest create',
    object: name,
    reason: isImage ? 'an image has this name' : 'there is such a list already',
    hint: isImage ? 'choose another name' : 'say --amend to add to it, or remove it with builder manifest rm',
  })
}

function nameToMove({ names, id }: ImageList, text: string, operation: string): string | undefined {
  const name = nameMeant(names, text)
  if (name !== undefined || names.length < 2) return name ?? names[0]
  throw new BuilderError('USAGE', {
    operation,
    object: text,
    reason: `the list ${id.slice(0, 12)} has several names, and only one of them is to change`,
    hint: `say which: ${names.join(', ')}`,
  })
}

interface Move {
  readonly list: ImageList
  readonly name: string | undefined
  readonly descriptor: Descriptor
  readonly operation: string
}

function moved(entries: readonly Descriptor[], { list, name, descriptor, operation }: Move): readonly Descriptor[] {
  if (descriptor.digest === list.digest) return entries
  const old = entries.find((entry) => entry.digest === list.digest && nameOf(entry) === name)
  if (old) return entries.map((entry) => (entry === old ? entryFor(descriptor, name) : entry))
  const reason = 'another process changed or removed it in the meantime'
  throw new BuilderError('NOT_FOUND', { operation, object: listLabel(list), reason, hint: 'try again' })
}

function candidatesOf(lists: readonly ImageList[], members: readonly Image[]): Candidates {
  const layers = members.flatMap(({ config }) => config.rootfs.diff_ids)
  const named = lists.flatMap(({ digest, index }) => [digest, ...index.manifests.map((member) => member.digest)])
  const parts = members.flatMap(({ manifestDigest, manifest }) => [
    manifestDigest,
    ...[manifest.config, ...manifest.layers].map(({ digest }) => digest),
  ])
  return { blobs: [...named, ...parts, ...layers], layers }
}
