import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import { isDigest } from '../image/digest.js'
import { nearestWord } from '../image/near-word.js'
import { candidateNames } from '../image/reference.js'
import { nameOf } from './index-file.js'
import { type Image, imageEntries, listImages, readImage } from './read-image.js'
import type { Store } from './store.js'

/**
 * Finds an image by name (`web`, `localhost/web:1`, `web@sha256:…`), by ID or at least three digits of its beginning, or
 * by the digest of its manifest or config. `operation` is what the caller is doing, for the message.
 *
 * Throws `NOT_FOUND` with a suggestion, `USAGE` when several images' IDs begin so, `INVALID` or `DIGEST` when the image
 * is damaged.
 */
export async function findImage(store: Store, nameOrId: string, operation: string): Promise<Image> {
  const entries = imageEntries(store)
  const found = byName(entries, nameOrId) ?? byManifest(entries, nameOrId)
  if (found) return readImage(store, found.digest, entries)
  const image = await byId(store, nameOrId, operation)
  if (image) return image
  throw unknown(nameOrId, entries, operation)
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

function byManifest(entries: readonly Descriptor[], text: string): Descriptor | undefined {
  return entries.find(({ digest }) => digest === text)
}

async function byId(store: Store, text: string, operation: string): Promise<Image | undefined> {
  const prefix = isDigest(text) ? text.slice('sha256:'.length) : text
  if (!/^[0-9a-f]{3,64}$/.test(prefix)) return undefined
  const images = (await listImages(store, () => undefined)).filter(({ id }) => id.startsWith(prefix))
  const ids = [...new Set(images.map(({ id }) => id))]
  if (ids.length <= 1) return images[0]
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
