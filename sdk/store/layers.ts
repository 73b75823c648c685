import { lstatSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { canonicalJson, parseJson } from '../image/config.js'
import { type Descriptor, mediaTypes } from '../image/descriptor.js'
import { type Digest, hexOf, isDigest, parseDigest } from '../image/digest.js'
import { layerStream, type PackOptions } from '../layer/pack.js'
import { blobSize, ingestBlob } from './blobs.js'
import { withLock } from './locks.js'
import { emptied, removeTree } from './remove-tree.js'
import type { Store } from './store.js'
import { replaceFile, temporaryPath } from './temporary.js'

/** What `layer.json` says about an unpacked layer. */
export interface LayerRecord {
  /** Digest of the uncompressed tar. Source: OCI image-spec, config.md, "Layer DiffID". */
  readonly diffID: Digest
  /** Bytes of the uncompressed tar. */
  readonly size: number
  readonly entries: number
  /** The root directory's own entry, when the tar has one. */
  readonly root?: LayerRoot
  /** Seconds since 1970: the tar writes younger times as this one. */
  readonly clamp?: number
  /** RFC 3339. */
  readonly created: string
}

/** Mode (without the type) and owner of a layer's root directory. */
export interface LayerRoot {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** The folder of a layer: `diff/` and `layer.json`. Throws `INVALID`. */
export function layerDir(store: Store, diffID: Digest): string {
  return join(store.root, 'layers', hexOf(parseDigest(diffID)))
}

/** The unpacked files of a layer, with whiteouts as overlayfs has them. */
export function layerDiff(store: Store, diffID: Digest): string {
  return join(layerDir(store, diffID), 'diff')
}

/** True when the layer is unpacked in the store. */
export function hasLayer(store: Store, diffID: Digest): boolean {
  return lstatSync(join(layerDir(store, diffID), 'layer.json'), { throwIfNoEntry: false })?.isFile() === true
}

/** Throws `NOT_FOUND` when the layer is not unpacked, `INVALID` when its record is damaged. */
export async function readLayer(store: Store, diffID: Digest): Promise<LayerRecord> {
  const path = join(layerDir(store, diffID), 'layer.json')
  const record = parseLayerRecord(readRecord(path, diffID), path)
  if (record.diffID === diffID) return record
  throw damaged(path, `it is the record of ${record.diffID}`)
}

/** Checks a layer's record. Throws `INVALID`. */
export function parseLayerRecord(bytes: Uint8Array, path: string): LayerRecord {
  const it = parseJson(bytes, path) as Partial<LayerRecord> | null
  if (typeof it !== 'object' || it === null) throw damaged(path, 'it is not a JSON object')
  if (!isDigest(it.diffID)) throw damaged(path, 'diffID is not a sha256 digest')
  if (!isCount(it.size) || !isCount(it.entries)) throw damaged(path, 'size or entries is not a number')
  if (typeof it.created !== 'string') throw damaged(path, 'created is missing')
  if (it.root !== undefined && !(isCount(it.root?.mode) && isCount(it.root.uid) && isCount(it.root.gid)))
    throw damaged(path, 'root is not a mode, a uid and a gid')
  if (it.clamp !== undefined && typeof it.clamp !== 'number') throw damaged(path, 'clamp is not a number')
  return it as LayerRecord
}

/** A layer in the making. Disposing of it without `finish` deletes it. */
export interface PendingLayer extends AsyncDisposable {
  /** Where its files go; an empty folder under `tmp/`. */
  readonly diff: string
  /** Makes it visible; when the store has the layer already, this one is dropped. Throws `SYSTEM`. */
  finish(record: LayerRecord): Promise<void>
}

/** Begins a layer: fill `diff`, then `finish`. Throws `SYSTEM`. */
export async function beginLayer(store: Store): Promise<PendingLayer> {
  const folder = temporaryPath(store)
  const diff = join(folder, 'diff')
  try {
    mkdirSync(folder, { mode: 0o700 })
    mkdirSync(diff)
  } catch (error) {
    throw asBuilderError(error, 'unpack layer', folder)
  }
  const drop = async () => {
    await emptied(store, folder)
  }
  const finish = async (record: LayerRecord) => {
    writeLayerRecord(store, folder, record)
    if (!(await moveLayer(store, folder, record.diffID))) await drop()
  }
  return { diff, finish, [Symbol.asyncDispose]: drop }
}

/** Writes `layer.json` into a folder that is about to become a layer. Throws `SYSTEM`. */
export function writeLayerRecord(store: Store, folder: string, record: LayerRecord): void {
  replaceFile(store, join(folder, 'layer.json'), canonicalJson(record), { flush: true })
}

/**
 * Renames a complete folder to its place; false when the store has that layer already. A folder in its place that has
 * no record, which only damage can leave, is cleared away. Throws `SYSTEM`.
 */
export async function moveLayer(store: Store, folder: string, diffID: Digest): Promise<boolean> {
  const place = layerDir(store, diffID)
  if (moved(folder, place)) return true
  if (hasLayer(store, diffID)) return false
  const repair = async () => {
    if (!hasLayer(store, diffID)) await removeTree(store, place)
    return moved(folder, place)
  }
  return withLock(store, `layer-${hexOf(diffID)}`, repair, { purpose: `repair layer ${diffID}` })
}

/**
 * The layer as an uncompressed blob: the one in the store, or the same bytes made again from the unpacked files
 * (then run inside the namespace) and kept. Throws `NOT_FOUND`, `DIGEST` when the files were altered, `SYSTEM`.
 */
export async function layerBlob(store: Store, diffID: Digest, signal?: AbortSignal): Promise<Descriptor> {
  const record = await readLayer(store, diffID)
  const descriptor = { mediaType: mediaTypes.layer, digest: diffID, size: record.size }
  if (blobSize(store, diffID) === record.size) return descriptor
  const options = { ...packOptions(record), ...(signal ? { signal } : {}) }
  const expected = { digest: diffID, size: record.size, ...(signal ? { signal } : {}) }
  try {
    await ingestBlob(store, layerStream(layerDiff(store, diffID), options), expected)
  } catch (error) {
    if (error instanceof BuilderError && error.code === 'DIGEST') throw altered(store, diffID, error.reason, error)
    throw error
  }
  return descriptor
}

/** How the layer was packed, so that packing it again gives the same bytes. */
export function packOptions(record: LayerRecord): PackOptions {
  const clamp = record.clamp === undefined ? {} : { clamp: record.clamp }
  return { root: record.root ? 'entry' : 'none', ...clamp }
}

/** Deletes an unpacked layer, and gives the bytes that the disk gained. Throws `SYSTEM`, `IN_USE`. */
export async function removeLayer(store: Store, diffID: Digest): Promise<number> {
  return removeTree(store, layerDir(store, diffID))
}

/** Names of all folders under `layers/` that can be a layer, sorted. */
export async function listLayers(store: Store): Promise<Digest[]> {
  const names = await readdir(join(store.root, 'layers'))
  return names
    .map((name) => `sha256:${name}`)
    .filter(isDigest)
    .sort()
}

function readRecord(path: string, diffID: Digest): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw asBuilderError(cause, 'read layer', path)
    const hint = 'pull or build the image again'
    throw new BuilderError('NOT_FOUND', {
      operation: 'read layer',
      object: diffID,
      reason: 'it is not in the store',
      hint,
    })
  }
}

function moved(folder: string, place: string): boolean {
  try {
    renameSync(folder, place)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false
    throw asBuilderError(error, 'store layer', place)
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function damaged(path: string, reason: string): BuilderError {
  const hint = 'pull or build the image again'
  return new BuilderError('INVALID', { operation: 'read layer', object: path, reason, hint })
}

/** The error for a layer whose files do not give its digest any more. */
export function altered(store: Store, diffID: Digest, why: string, cause?: BuilderError): BuilderError {
  return new BuilderError('DIGEST', {
    operation: 'make layer blob',
    object: diffID,
    reason: `the files under ${layerDiff(store, diffID)} were altered after the layer was made (${why})`,
    hint: 'remove the images that use it, prune, and pull or build them again',
    cause,
  })
}
