import { createHash } from 'node:crypto'
import { BuilderError } from '../errors.js'
import { canonicalJson, parseConfig, parseJson } from '../image/config.js'
import { type Descriptor, mediaTypes } from '../image/descriptor.js'
import { type Digest, digestOf } from '../image/digest.js'
import { manifestSizeLimit } from '../image/manifest.js'
import { formatReference, parseReference } from '../image/reference.js'
import { compressionOf } from '../layer/compress.js'
import type { Store } from '../store/store.js'
import { openArchive } from './archive.js'
import { once } from './file-stream.js'
import { type Location, usage } from './location.js'
import type { ImageSource } from './source.js'
import { type FileTree, readWhole } from './tree.js'
import { broken, missing, verifyBytes } from './verify.js'

/** One image of a `docker save` archive, as its manifest.json lists them. */
interface Saved {
  readonly Config: string
  readonly RepoTags: readonly string[]
  readonly Layers: readonly string[]
}

/**
 * `docker-archive:file[:name:tag]`, or `:@N` for the image at that place: what `docker save` writes, old (a folder a
 * layer, shared layers as links) and new (an OCI layout inside), and what podman and skopeo write. Such an archive has
 * no manifest that a digest could name: one is made from the configuration and the layers, always the same for the
 * same archive, so that the image keeps its ID.
 */
export async function dockerArchiveSource(store: Store, { path, ref }: Location, name: string): Promise<ImageSource> {
  return imageInArchive(await openArchive(store, path, name), ref)
}

/** An image of such an archive, wherever that comes from. Closes the archive when it throws. */
export async function imageInArchive(archive: FileTree, ref: string | undefined): Promise<ImageSource> {
  try {
    const saved = choose(await readList(archive), ref, archive.name)
    return await savedSource(archive, saved)
  } catch (error) {
    await archive[Symbol.asyncDispose]()
    throw error
  }
}

/** The name an archive carries: with docker.io and library/ where they are left out. Throws `USAGE`. */
export function archiveName(text: string, name: string): string {
  try {
    const reference = parseReference(text)
    if (reference.digest) throw usage(name, 'an image in an archive has no digest', 'name it by a tag')
    const { registry = 'docker.io', repository, tag = 'latest' } = reference
    const library = registry === 'docker.io' && !repository.includes('/') ? 'library/' : ''
    return formatReference({ registry, repository: `${library}${repository}`, tag })
  } catch (error) {
    if (error instanceof BuilderError && error.code === 'USAGE') throw error
    throw usage(name, `${JSON.stringify(text)} is not a name for an image`, 'write docker-archive:FILE:NAME:TAG')
  }
}

/** The names of all images in an archive, in its order. Throws `NOT_FOUND`, `INVALID`. */
export async function dockerArchiveNames(archive: FileTree): Promise<readonly string[]> {
  return (await readList(archive)).flatMap(({ RepoTags }) => RepoTags)
}

async function savedSource(archive: FileTree, saved: Saved): Promise<ImageSource> {
  const { name } = archive
  const config = await readWhole(archive, saved.Config, manifestSizeLimit)
  const configDigest = digestOf(config)
  const claimed = hexIn(saved.Config)
  if (claimed) verifyBytes(config, { mediaType: mediaTypes.config, digest: claimed, size: config.length }, name)
  const { diff_ids } = parseConfig(config, `${name} ${saved.Config}`).rootfs
  if (diff_ids.length !== saved.Layers.length)
    throw broken(name, `its configuration has ${diff_ids.length} layers, its manifest.json ${saved.Layers.length}`)
  const layers: Descriptor[] = []
  for (const [i, path] of saved.Layers.entries()) layers.push(await describe(archive, path, diff_ids[i] as Digest))
  const files = new Map(layers.map(({ digest }, i) => [digest, saved.Layers[i] as string]))
  const bytes = manifestFor({ mediaType: mediaTypes.config, digest: configDigest, size: config.length }, layers)
  const [suggestedName] = saved.RepoTags
  return {
    name,
    ...(suggestedName === undefined ? {} : { suggestedName }),
    top: async () => ({ bytes, mediaType: mediaTypes.manifest, digest: digestOf(bytes) }),
    manifest: async ({ digest }) => Promise.reject(missing(name, `it has no manifest ${digest}`)),
    async blob({ digest }) {
      if (digest === configDigest) return once(config)
      const file = files.get(digest)
      if (file === undefined) throw missing(name, `it has no blob ${digest}`)
      return archive.stream(file)
    },
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  }
}

/** An uncompressed layer is named by its diffID; a compressed one (containerd's `docker save`) by its own digest. */
async function describe(archive: FileTree, path: string, diffID: Digest): Promise<Descriptor> {
  const size = await archive.size(path)
  if (size === undefined) throw missing(archive.name, `its layer ${path} is missing`, 'get it again')
  const compression = compressionOf(await firstBytes(await archive.stream(path)))
  if (compression === 'none') return { mediaType: mediaTypes.layer, digest: diffID, size }
  const mediaType = { gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd }[compression as 'gzip' | 'zstd']
  if (mediaType === undefined) throw broken(archive.name, `its layer ${path} is compressed with ${compression}`)
  return { mediaType, digest: hexIn(path) ?? (await hashOf(await archive.stream(path))), size }
}

function manifestFor(config: Descriptor, layers: readonly Descriptor[]): Buffer {
  return Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }))
}

async function readList(archive: FileTree): Promise<readonly Saved[]> {
  const { name } = archive
  if ((await archive.size('manifest.json')) === undefined) {
    const isLayout = (await archive.size('oci-layout')) !== undefined
    throw broken(
      name,
      'it has no manifest.json',
      isLayout ? 'it is an OCI archive: read it as oci-archive:' : undefined,
    )
  }
  const list = parseJson(await readWhole(archive, 'manifest.json', manifestSizeLimit), `${name} manifest.json`)
  if (!Array.isArray(list)) throw broken(name, 'manifest.json is not a list of images')
  return list.map((saved: unknown, i) => readSaved(saved, `${name} manifest.json[${i}]`))
}

function readSaved(value: unknown, where: string): Saved {
  const saved = value as Partial<Record<keyof Saved, unknown>> | null
  const strings = (it: unknown): it is string[] => Array.isArray(it) && it.every((text) => typeof text === 'string')
  const tags = saved?.RepoTags ?? []
  const layers = saved?.Layers ?? []
  if (typeof saved?.Config !== 'string' || !strings(tags) || !strings(layers))
    throw broken(where, 'it is not an image: Config, RepoTags or Layers is missing or of the wrong kind')
  return { Config: saved.Config, RepoTags: tags, Layers: layers }
}

function choose(list: readonly Saved[], ref: string | undefined, name: string): Saved {
  const fits = list.filter((saved, place) => ref === undefined || isNamed(saved, place, ref, name))
  if (fits[0] && fits.length === 1) return fits[0]
  if (list.length === 0) throw missing(name, 'it holds no image')
  const offers = list.map(({ RepoTags }, place) => RepoTags[0] ?? `@${place}`)
  const hint = `name one of: ${offers.slice(0, 20).join(', ')}`
  if (fits.length === 0) throw missing(name, 'it holds no image of that name', hint)
  const reason = `it holds ${fits.length} images`
  throw new BuilderError('USAGE', { operation: 'read image', object: name, reason, hint })
}

function isNamed({ RepoTags }: Saved, place: number, ref: string, name: string): boolean {
  if (ref.startsWith('@')) return ref === `@${place}`
  return RepoTags.includes(ref) || RepoTags.some((tag) => canonical(tag) === archiveName(ref, name))
}

function canonical(tag: string): string | undefined {
  try {
    return archiveName(tag, tag)
  } catch {
    return undefined
  }
}

/** The digest in `<hex>.json`, `<hex>.tar` and `blobs/sha256/<hex>`. */
function hexIn(path: string): Digest | undefined {
  const hex = /^(?:blobs\/sha256\/)?([a-f0-9]{64})(?:\.json|\.tar)?$/.exec(path)?.[1]
  return hex === undefined ? undefined : `sha256:${hex}`
}

async function firstBytes(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const chunk of stream) return chunk.subarray(0, 512)
  return new Uint8Array()
}

async function hashOf(stream: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256')
  for await (const chunk of stream) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}
