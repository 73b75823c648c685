import { BuilderError } from '../errors.js'
import { type ImageConfig, parseConfig } from '../image/config.js'
import type { Descriptor } from '../image/descriptor.js'
import { type Digest, hexOf } from '../image/digest.js'
import { isIndex, type Manifest, manifestSizeLimit, parseManifest } from '../image/manifest.js'
import { blobPath, readBlob } from './blobs.js'
import { nameOf, readEntries } from './index-file.js'
import type { Store } from './store.js'

/** An image of the store, read and checked. */
export interface Image {
  /** The config digest's 64 hexadecimal digits. */
  readonly id: string
  /** Full names (`localhost/web:latest`); empty when it has none. */
  readonly names: readonly string[]
  readonly manifestDigest: Digest
  readonly manifest: Manifest
  /** Bytes of the manifest. */
  readonly manifestSize: number
  readonly config: ImageConfig
  /** The list through which it was found. */
  readonly list?: { readonly digest: Digest; readonly name?: string }
}

/**
 * All images, in the order they came; multi-platform indexes are not images. Throws `INVALID`, `DIGEST` or `NOT_FOUND`
 * when one is damaged, unless `onDamaged` is there to hear of it.
 */
export async function listImages(
  store: Store,
  onDamaged?: (error: BuilderError, names: readonly string[]) => void,
): Promise<Image[]> {
  const entries = imageEntries(store)
  const images = [...new Set(entries.map(({ digest }) => digest))].map(async (digest) => {
    try {
      return await readImage(store, digest, entries)
    } catch (error) {
      if (!onDamaged || !(error instanceof BuilderError)) throw error
      onDamaged(error, namesOf(entries, digest))
      return undefined
    }
  })
  return (await Promise.all(images)).filter((image) => image !== undefined)
}

/** Bytes of an image's layers as its manifest counts them (compressed, when they came so). */
export function imageSize(image: Image): number {
  return image.manifest.layers.reduce((sum, { size }) => sum + size, 0)
}

/** The entries of index.json that are images of one platform. Throws `INVALID`. */
export function imageEntries(store: Store): readonly Descriptor[] {
  return readEntries(store).filter(({ mediaType }) => !/index\.v1\+json$|manifest\.list/.test(mediaType))
}

/**
 * Reads the image with this manifest; `entries` say its names. Throws `NOT_FOUND`, `INVALID`, `DIGEST`, each naming the
 * file that is missing or damaged.
 */
export async function readImage(store: Store, digest: Digest, entries: readonly Descriptor[]): Promise<Image> {
  const bytes = await readBlob(store, digest, manifestSizeLimit)
  return parseImage(store, bytes, digest, namesOf(entries, digest))
}

/** The names that entries give to a digest. */
export function namesOf(entries: readonly Descriptor[], digest: Digest): string[] {
  const own = entries.filter((entry) => entry.digest === digest)
  return own.map(nameOf).filter((name) => name !== undefined)
}

/** Reads an image from its manifest's bytes; the config is read from the store. Throws as {@link readImage}. */
export async function parseImage(
  store: Store,
  bytes: Uint8Array,
  manifestDigest: Digest,
  names: readonly string[],
): Promise<Image> {
  const path = blobPath(store, manifestDigest)
  const manifest = parseManifest(bytes, path)
  if (isIndex(manifest)) throw invalid(path, 'it is an index of several images, not an image')
  const config = parseConfig(await readBlob(store, manifest.config.digest), blobPath(store, manifest.config.digest))
  const { length } = config.rootfs.diff_ids
  if (length !== manifest.layers.length)
    throw invalid(path, `it has ${manifest.layers.length} layers, but its config has ${length} diff_ids`)
  const id = hexOf(manifest.config.digest)
  return { id, names, manifestDigest, manifest, manifestSize: bytes.length, config }
}

function invalid(object: string, reason: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read image', object, reason })
}
