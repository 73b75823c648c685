import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { parseConfig, parseJson } from '../image/config.js'
import { type Descriptor, mediaTypes } from '../image/descriptor.js'
import { type Digest, digestOf, isDigest } from '../image/digest.js'
import { isIndex, type Manifest, parseManifest } from '../image/manifest.js'
import { candidateNames } from '../image/reference.js'
import type { ContainersPlace } from './containers-place.js'
import { broken, missing, verifyBytes } from './verify.js'

/** An image of such a storage whose layers can be read from its folders. */
export interface StoredImage {
  readonly names: readonly string[]
  readonly manifest: Manifest
  readonly bytes: Uint8Array
  readonly config: Uint8Array
  /** In the order of the manifest. */
  readonly layers: readonly StoredLayer[]
}

/** A layer on the disk: its files, and what its tar had besides. */
export interface StoredLayer {
  readonly diffID: Digest
  readonly size: number
  readonly folder: string
  readonly split: string
}

/** An image as images.json lists it. */
export interface ImageRecord {
  readonly id: string
  readonly names?: readonly string[] | null
  readonly layer?: string
  readonly digest?: string
}

/** An image's record. Throws `NOT_FOUND` with what there is. */
export async function findRecord(place: ContainersPlace, name: string): Promise<ImageRecord> {
  const { root, driver, image, id } = place
  const list = await readList<ImageRecord>(join(root, `${driver}-images/images.json`))
  if (!list) throw missing(name, `there is no storage of containers in ${root}`, 'see podman info for where it is')
  const found = id === undefined ? named(list, image) : list.filter((it) => it.digest === id || isID(it, id))
  if (found[0] && found.length === 1) return found[0]
  const names = list.flatMap((it) => it.names ?? []).slice(0, 20)
  const hint = names.length > 0 ? `it has: ${names.join(', ')}` : 'it has no images with a name'
  if (found.length === 0) throw missing(name, 'the storage has no such image', hint)
  const reason = `${found.length} images have this ID`
  throw new BuilderError('USAGE', { operation: 'read image', object: name, reason, hint: 'write more of its digits' })
}

/**
 * What is needed to read an image without the tools; undefined when anything is not as containers/storage 1.x keeps it
 * with the drivers overlay and vfs. Throws `DIGEST` for a manifest or a configuration that was altered.
 */
export async function readStored(place: ContainersPlace, record: ImageRecord, name: string) {
  const folder = join(place.root, `${place.driver}-images`, record.id)
  const bytes = await readFile(join(folder, 'manifest')).catch(() => undefined)
  const layers = await chainOf(place, record.layer)
  if (!bytes || !layers || (isDigest(record.digest) && digestOf(bytes) !== record.digest)) return undefined
  const manifest = parseManifest(bytes, name)
  if (isIndex(manifest)) return undefined
  const config = await readFile(join(folder, bigDataName(manifest.config.digest))).catch(() => undefined)
  if (!config) return undefined
  verifyBytes(config, manifest.config, name)
  const { diff_ids } = parseConfig(config, name).rootfs
  const fits = layers.length === manifest.layers.length && layers.every(({ diffID }, i) => diffID === diff_ids[i])
  return fits && diff_ids.length === layers.length ? asCopied({ record, manifest, bytes, config, layers }) : undefined
}

/** The image with its layers as they are on the disk, uncompressed: with those the manifest had, it stays as it was. */
function asCopied({ record, manifest, bytes, ...rest }: Omit<StoredImage, 'names'> & { readonly record: ImageRecord }) {
  const names = record.names ?? []
  const isDocker = manifest.mediaType === mediaTypes.dockerManifest
  const plain: readonly Descriptor[] = rest.layers.map(({ diffID, size }) => ({
    mediaType: isDocker ? mediaTypes.dockerLayer : mediaTypes.layer,
    digest: diffID,
    size,
  }))
  if (manifest.layers.every(({ digest }, i) => digest === plain[i]?.digest)) return { names, manifest, bytes, ...rest }
  const changed = { ...(parseJson(bytes, record.id) as Record<string, unknown>), layers: plain }
  const written = Buffer.from(JSON.stringify(changed))
  return { names, manifest: { ...manifest, layers: plain }, bytes: written, ...rest }
}

interface LayerRecord {
  readonly id: string
  readonly parent?: string
  readonly 'diff-digest'?: string
  readonly 'diff-size'?: number
}

/** The layers below and with a layer, lowest first; undefined when one cannot be read from here. */
async function chainOf({ root, driver }: ContainersPlace, top: string | undefined) {
  const list = top ? ((await readList<LayerRecord>(join(root, `${driver}-layers/layers.json`))) ?? []) : []
  const records = new Map(list.map((record) => [record.id, record]))
  const chain: StoredLayer[] = []
  for (let id = top; id; id = records.get(id)?.parent) {
    const { 'diff-digest': diffID, 'diff-size': size } = records.get(id) ?? {}
    const folder = driver === 'vfs' ? join(root, 'vfs/dir', id) : join(root, driver, id, 'diff')
    const split = join(root, `${driver}-layers`, `${id}.tar-split.gz`)
    if (!isDigest(diffID) || size === undefined || !existsSync(folder) || !existsSync(split)) return undefined
    if (!readable.has(driver) || chain.length > records.size) return undefined
    chain.unshift({ diffID, size, folder, split })
  }
  return chain
}

const readable = new Set(['overlay', 'vfs'])

/** What both lists have; the other fields are compared with digests before anything is made of them. */
function isRecord(value: unknown): boolean {
  const record = value as Partial<Record<'id' | 'names', unknown>> | null
  const { id, names = [] } = record ?? {}
  return typeof id === 'string' && /^[0-9a-f]{64}$/.test(id) && (names === null || Array.isArray(names))
}

async function readList<T>(file: string): Promise<readonly T[] | undefined> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw asBuilderError(error, 'read image', file)
  })
  const list = bytes && parseJson(bytes, file)
  if (list === undefined) return undefined
  if (Array.isArray(list) && list.every(isRecord)) return list as unknown as readonly T[]
  throw broken(file, 'it is not a list of what the storage has')
}

function named(list: readonly ImageRecord[], image: string): readonly ImageRecord[] {
  for (const candidate of candidateNames(image)) {
    const found = list.filter(({ names }) => names?.includes(candidate))
    if (found.length > 0) return found
  }
  return isHex(image) ? list.filter((it) => isID(it, image)) : []
}

function isID(record: ImageRecord, id: string): boolean {
  return isHex(id) && record.id.startsWith(id.replace(/^sha256:/, ''))
}

function isHex(text: string): boolean {
  return /^(sha256:)?[0-9a-f]{6,64}$/.test(text)
}

/** Names that are more than letters and digits are kept in base64. */
function bigDataName(digest: Digest): string {
  return `=${Buffer.from(digest).toString('base64')}`
}
