import { BuilderError } from '../errors.js'
import { type Descriptor, isIndexType } from '../image/descriptor.js'
import { isDigest } from '../image/digest.js'
import { nearestWord } from '../image/near-word.js'
import { hostPlatform, type Platform } from '../image/platform.js'
import { candidateNames } from '../image/reference.js'
import { nameOf, readEntries } from './index-file.js'
import { type Image, readImage } from './read-image.js'
import {
  allImages,
  type ImageList,
  isList,
  listLists,
  memberFor,
  readableMembers,
  readList,
  readMember,
} from './read-list.js'
import type { Store } from './store.js'

/**
 * Finds an image by name (`web`, `localhost/web:1`, `web@sha256:…`), by ID or at least three digits of its beginning, or
 * by the digest of its manifest or config. The name of a list means its image for `platform`, this machine's when absent.
 * `operation` is what the caller is doing, for the message.
 *
 * Throws `NOT_FOUND` with a suggestion, `USAGE` when several images' IDs begin so, `INVALID` or `DIGEST` when the image
 * is damaged.
 */
export async function findImage(
  store: Store,
  nameOrId: string,
  operation: string,
  platform: Platform = hostPlatform(),
): Promise<Image> {
  const found = await findImageOrList(store, nameOrId, operation)
  if (!isList(found)) return found
  // Of a list with several names the one that was said is told.
  const meant = nameMeant(found.names, nameOrId)
  return memberFor(store, meant === undefined ? found : { ...found, names: [meant] }, platform, operation)
}

/** Finds an image or a list as {@link findImage} does; a list stays a list. */
export async function findImageOrList(store: Store, nameOrId: string, operation: string): Promise<Image | ImageList> {
  const entries = readEntries(store)
  const entry = byName(entries, nameOrId) ?? entries.find(({ digest }) => digest === nameOrId)
  if (entry)
    return isIndexType(entry.mediaType)
      ? readList(store, entry.digest, entries)
      : readImage(store, entry.digest, entries)
  const member = await byMember(store, nameOrId, operation)
  if (member) return member
  const found = await byId(store, nameOrId, operation)
  if (found) return found
  throw unknown(nameOrId, entries, operation)
}

/** The one of a thing's names that a user meant; undefined when an ID or a digest was given. */
export function nameMeant(names: readonly string[], text: string): string | undefined {
  if (text.includes('@')) return undefined
  return candidatesOf(text).find((name) => names.includes(name))
}

function byName(entries: readonly Descriptor[], text: string): Descriptor | undefined {
  const [name = '', digest] = text.split('@')
  const fits = (entry: Descriptor) => digest === undefined || entry.digest === digest
  for (const candidate of candidatesOf(name)) {
    const entry = entries.find((it) => nameOf(it) === candidate && fits(it))
    if (entry) return entry
  }
  if (digest === undefined || name === '') return undefined
  // A name with a digest means any tag of the repository.
  const repositories = candidatesOf(name).map(withoutTag)
  return entries.find((it) => fits(it) && repositories.includes(withoutTag(nameOf(it) ?? '')))
}

/** What is no name can still be an ID. */
function candidatesOf(text: string): readonly string[] {
  try {
    return candidateNames(text)
  } catch {
    return []
  }
}

function withoutTag(name: string): string {
  return name.replace(/:[^:/]*$/, '')
}

/** An image that only a list has, by its digest, with or without the list's name before it. */
async function byMember(store: Store, text: string, operation: string): Promise<Image | undefined> {
  const [name = '', digest = name] = text.split('@')
  if (!isDigest(digest)) return undefined
  const repositories = digest === name ? undefined : candidatesOf(name).map(withoutTag)
  for (const list of await listLists(store, () => undefined)) {
    if (repositories && !list.names.some((one) => repositories.includes(withoutTag(one)))) continue
    const member = (await readableMembers(store, list)).find((one) => one.digest === digest)
    if (member) return readMember(store, list, member, operation)
  }
  return undefined
}

async function byId(store: Store, text: string, operation: string): Promise<Image | ImageList | undefined> {
  const prefix = isDigest(text) ? text.slice('sha256:'.length) : text
  if (!/^[0-9a-f]{3,64}$/.test(prefix)) return undefined
  const found = [...(await allImages(store)), ...(await listLists(store, () => undefined))].filter(({ id }) =>
    id.startsWith(prefix),
  )
  const ids = [...new Set(found.map(({ id }) => id))]
  if (ids.length <= 1) return found[0]
  throw new BuilderError('USAGE', {
    operation,
    object: text,
    reason: `the IDs of ${ids.length} images begin so: ${ids.map((id) => id.slice(0, 12)).join(', ')}`,
    hint: 'give more digits',
  })
}

function unknown(text: string, entries: readonly Descriptor[], operation: string): BuilderError {
  const names = entries.map(nameOf).filter((name) => name !== undefined)
  const shortened = new Map(names.flatMap((name) => spellings(name).map((short) => [short, name] as const)))
  const near = nearestWord(text, shortened.keys())
  const known = 'see builder images; a file is named as oci:PATH, oci-archive:FILE, docker-archive:FILE or dir:PATH'
  const hint = near === undefined ? known : `did you mean ${near}?`
  return new BuilderError('NOT_FOUND', {
    operation,
    object: text || '""',
    reason: 'there is no such image in the store',
    hint,
  })
}

/** The ways a user may write a full name: without registry, without `:latest`, the last part alone. */
function spellings(name: string): string[] {
  const bare = name.replace(/:latest$/, '')
  const all = [name, name.slice(name.indexOf('/') + 1), name.slice(name.lastIndexOf('/') + 1)]
  return [...all, bare, bare.slice(bare.indexOf('/') + 1), bare.slice(bare.lastIndexOf('/') + 1)]
}
