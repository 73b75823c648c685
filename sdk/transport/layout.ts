import { BuilderError } from '../errors.js'
import { parseJson } from '../image/config.js'
import { type Descriptor, isIndexType, isManifestType } from '../image/descriptor.js'
import { hexOf, isDigest } from '../image/digest.js'
import { type Index, isIndex, manifestSizeLimit, parseManifest } from '../image/manifest.js'
import type { ImageSource } from './source.js'
import { type FileTree, readWhole } from './tree.js'
import { broken, missing, verifyBytes } from './verify.js'

/** Annotations that carry an image's name: the specification's, and containerd's with the whole name. */
export const nameAnnotations = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'] as const

/**
 * Reads an image from an OCI image layout, wherever its files lie. `ref` names an entry of index.json by its name
 * annotation, `@N` the entry at that place, or `@sha256:…` the one with that digest; without it the layout must hold one image.
 * Source: OCI image-spec, image-layout.md. Throws `NOT_FOUND`, `INVALID`, `USAGE`.
 */
export async function layoutSource(tree: FileTree, ref: string | undefined): Promise<ImageSource> {
  await checkLayout(tree)
  const entry = choose(await readIndexFile(tree), ref, tree.name)
  const read = (descriptor: Descriptor) => readManifest(tree, descriptor)
  const suggestedName = nameOf(entry)
  return {
    name: tree.name,
    ...(suggestedName === undefined ? {} : { suggestedName }),
    async top() {
      return { bytes: await read(entry), mediaType: entry.mediaType, digest: entry.digest }
    },
    manifest: read,
    blob: (descriptor) => tree.stream(blobFile(descriptor)),
    [Symbol.asyncDispose]: () => tree[Symbol.asyncDispose](),
  }
}

/** Where a layout keeps a blob. */
export function blobFile({ digest }: Pick<Descriptor, 'digest'>): string {
  return `blobs/sha256/${hexOf(digest)}`
}

/** A manifest or an index, checked against its descriptor. Throws `NOT_FOUND`, `INVALID`, `DIGEST`. */
async function readManifest(tree: FileTree, descriptor: Descriptor): Promise<Uint8Array> {
  if (descriptor.size > manifestSizeLimit)
    throw broken(
      tree.name,
      `manifest ${descriptor.digest} has ${descriptor.size} bytes, more than ${manifestSizeLimit}`,
    )
  const bytes = await readWhole(tree, blobFile(descriptor), manifestSizeLimit)
  verifyBytes(bytes, descriptor, tree.name)
  return bytes
}

async function checkLayout(tree: FileTree): Promise<void> {
  if ((await tree.size('oci-layout')) === undefined)
    throw broken(tree.name, 'it is not an OCI image layout: oci-layout is missing')
  const where = `${tree.name} oci-layout`
  const layout = parseJson(await readWhole(tree, 'oci-layout', 65536), where) as { imageLayoutVersion?: unknown } | null
  const version = layout?.imageLayoutVersion
  if (typeof version !== 'string' || !version.startsWith('1.'))
    throw broken(where, `imageLayoutVersion ${JSON.stringify(version)} is not 1.0.0`)
}

/** A layout's index.json. Throws `NOT_FOUND`, `INVALID`. */
export async function readIndexFile(tree: FileTree): Promise<Index> {
  const index = parseManifest(await readWhole(tree, 'index.json', manifestSizeLimit), `${tree.name} index.json`)
  if (isIndex(index)) return index
  throw broken(tree.name, 'index.json is not an index')
}

function choose({ manifests }: Index, ref: string | undefined, name: string): Descriptor {
  const images = manifests.filter(({ mediaType }) => isManifestType(mediaType) || isIndexType(mediaType))
  const fits = ref === undefined ? images : named(images, ref)
  const [first] = fits
  if (first && fits.every(({ digest }) => digest === first.digest)) return first
  if (images.length === 0) throw missing(name, 'it holds no image')
  if (!first) throw missing(name, 'it holds no image of that name', offer(images))
  const reason = ref === undefined ? `it holds ${fits.length} images` : `it holds ${fits.length} images of that name`
  const hint = ref === undefined ? offer(images) : 'name one by its place, as @0'
  throw new BuilderError('USAGE', { operation: 'read image', object: name, reason, hint })
}

function named(images: readonly Descriptor[], ref: string): readonly Descriptor[] {
  if (/^@\d+$/.test(ref)) return images.slice(Number(ref.slice(1)), Number(ref.slice(1)) + 1)
  if (isDigest(ref.slice(1))) return images.filter(({ digest }) => `@${digest}` === ref)
  for (const annotation of nameAnnotations) {
    const fits = images.filter(({ annotations }) => annotations?.[annotation] === ref)
    if (fits.length > 0) return fits
  }
  return []
}

function offer(images: readonly Descriptor[]): string {
  const refs = images.map(({ annotations }, place) => annotations?.[nameAnnotations[0]] ?? `@${place}`)
  const some = [...new Set(refs)].slice(0, 20)
  return `name one of: ${some.join(', ')}${refs.length > some.length ? ' …' : ''}`
}

function nameOf({ annotations }: Descriptor): string | undefined {
  return annotations?.[nameAnnotations[1]] ?? annotations?.[nameAnnotations[0]]
}
