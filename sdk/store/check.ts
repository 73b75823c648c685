import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { asBuilderError } from '../errors.js'
import { type Descriptor, isIndexType, isManifestType } from '../image/descriptor.js'
import { isContainerImage, isIndex, type Manifest, manifestSizeLimit, parseManifest } from '../image/manifest.js'
import { formatPlatform } from '../image/platform.js'
import { blobPath, blobSize, hasBlob, readBlob } from './blobs.js'
import { checkBlobContents, checkLayerContents } from './check-contents.js'
import { containerDir, scanContainers } from './container-files.js'
import type { ContainerRecord } from './container-record.js'
import { nameOf, readEntries } from './index-file.js'
import { hasLayer, layerDiff, listLayers, readLayer } from './layers.js'
import { readLockFile } from './lock-file.js'
import { withLock } from './locks.js'
import { isGone } from './owner.js'
import { type Image, readImage } from './read-image.js'
import { readList } from './read-list.js'
import type { Store } from './store.js'
import { isAbandoned } from './temporary.js'
import { upperDiff } from './upper.js'

/** What was found. A store without problems is whole; notes are what the next prune clears away. */
export interface StoreReport {
  readonly problems: readonly string[]
  readonly notes: readonly string[]
  readonly images: number
  readonly layers: number
  readonly containers: number
}

/** How a store is checked. */
export interface CheckOptions {
  /** Read every byte: digests of all blobs, and of all layers packed again; run it inside the namespace. */
  readonly deep?: boolean
  readonly signal?: AbortSignal
}

/**
 * Checks that a store is whole: every image readable with all its blobs or layers, every layer and container complete.
 * Shares the lock `store`, so that nothing is deleted meanwhile. Throws `INVALID` when index.json itself is damaged,
 * `ABORTED`, `SYSTEM`.
 */
export async function checkStore(store: Store, options: CheckOptions = {}): Promise<StoreReport> {
  return withLock(store, 'store', () => check(store, options), { shared: true, purpose: 'check' })
}

async function check(store: Store, { deep = false, signal }: CheckOptions): Promise<StoreReport> {
  const problems: string[] = []
  const entries = readEntries(store)
  const images = await checkImages(store, entries, problems)
  const layers = await checkLayers(store, problems)
  const { records, damaged } = scanContainers(store)
  problems.push(...damaged.map(({ message }) => message))
  for (const record of records) checkContainer(store, record, problems)
  if (deep) {
    await checkBlobContents(store, problems, signal)
    await checkLayerContents(store, images, problems, signal)
  }
  const notes = [...leftovers(store), ...records.flatMap(unfinished)]
  return { problems, notes, images: images.length, layers, containers: records.length }
}

async function checkImages(store: Store, entries: readonly Descriptor[], problems: string[]): Promise<Image[]> {
  const images = new Map<string, Image>()
  const seen = new Set<string>()
  const queue = [...entries]
  for (let entry = queue.pop(); entry; entry = queue.pop()) {
    if (seen.has(entry.digest)) continue
    seen.add(entry.digest)
    const label = nameOf(entry) ?? entry.digest
    try {
      const size = blobSize(store, entry.digest)
      if (size !== undefined && size !== entry.size)
        problems.push(`image ${label}: its manifest has ${size} bytes, index.json says ${entry.size}`)
      if (isIndexType(entry.mediaType)) queue.push(...(await partsOf(store, entry, label, problems)))
      else if (isManifestType(entry.mediaType) && !(await isArtifact(store, entry)))
        images.set(entry.digest, await checkImage(store, entry, label, entries, problems))
    } catch (error) {
      problems.push(`image ${label}: ${asBuilderError(error, 'check').message}`)
    }
  }
  return [...images.values()]
}

/** What a list names must be there, or it cannot be pushed. */
async function partsOf(
  store: Store,
  entry: Descriptor,
  label: string,
  problems: string[],
): Promise<readonly Descriptor[]> {
  const { index } = await readList(store, entry.digest, [])
  return index.manifests.filter(({ digest, platform }) => {
    if (hasBlob(store, digest)) return true
    problems.push(`list ${label}: its image ${digest}${platform ? ` for ${formatPlatform(platform)}` : ''} is missing`)
    return false
  })
}

/** A signature or an attestation that a list names beside its images. */
async function isArtifact(store: Store, { digest }: Descriptor): Promise<boolean> {
  const manifest = parseManifest(await readBlob(store, digest, manifestSizeLimit), blobPath(store, digest))
  return !isIndex(manifest) && !isContainerImage(manifest)
}

async function checkImage(
  store: Store,
  entry: Descriptor,
  label: string,
  entries: readonly Descriptor[],
  problems: string[],
): Promise<Image> {
  const image = await readImage(store, entry.digest, entries)
  image.manifest.layers.forEach(({ digest, size }, i) => {
    const diffID = image.config.rootfs.diff_ids[i]
    if (hasBlob(store, digest, size) || (diffID && hasLayer(store, diffID))) return
    const found = blobSize(store, digest)
    const reason = found === undefined ? 'is missing' : `has ${found} bytes instead of ${size}`
    problems.push(`image ${label}: layer ${digest} ${reason}`)
  })
  checkSize(store, image.manifest, label, problems)
  return image
}

function checkSize(store: Store, { config }: Manifest, label: string, problems: string[]): void {
  const size = blobSize(store, config.digest)
  if (size !== config.size)
    problems.push(`image ${label}: its config has ${size} bytes, the manifest says ${config.size}`)
}

async function checkLayers(store: Store, problems: string[]): Promise<number> {
  const layers = await listLayers(store)
  for (const diffID of layers) {
    try {
      await readLayer(store, diffID)
      if (!isFolder(layerDiff(store, diffID))) problems.push(`layer ${diffID}: its folder diff is missing`)
    } catch (error) {
      problems.push(`layer ${diffID}: ${asBuilderError(error, 'check').message}`)
    }
  }
  return layers.length
}

function checkContainer(store: Store, record: ContainerRecord, problems: string[]): void {
  const { id, name, layers, config, adopting } = record
  const problem = (text: string) => problems.push(`container ${name} (${id.slice(0, 12)}): ${text}`)
  for (const diffID of layers) if (!hasLayer(store, diffID)) problem(`layer ${diffID} is missing`)
  if (config.rootfs.diff_ids.join() !== layers.join()) problem('config.rootfs.diff_ids and layers differ')
  const folder = containerDir(store, id)
  if (adopting === undefined && !isFolder(upperDiff(folder))) problem('its folder upper/diff is missing')
  // work and l are made anew for every mount: one that was killed may have left neither.
  if (!isFolder(join(folder, 'merged'))) problem('its folder merged is missing')
}

function unfinished({ name, adopting }: ContainerRecord): string[] {
  return adopting === undefined ? [] : [`container ${name}: a commit was interrupted; the next use of it sets it right`]
}

function leftovers(store: Store): string[] {
  const temporary = readdirSync(join(store.root, 'tmp')).filter(isAbandoned).length
  const folder = join(store.root, 'locks')
  const locks = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => readLockFile(join(entry.path, entry.name)))
  const dead = locks.filter((owner) => owner && isGone(owner)).length
  return [
    ...(temporary > 0 ? [`${temporary} unfinished things of dead processes are under tmp/`] : []),
    ...(dead > 0 ? [`${dead} locks of dead processes are under locks/`] : []),
  ]
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
