/** Containers and images made without any verb; child processes use it as well, so it knows nothing of node:test. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson, emptyConfig } from '../../sdk/image/config.js'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { packLayer } from '../../sdk/layer/pack.js'
import { adoptUpper } from '../../sdk/store/adopt.js'
import { putBlob } from '../../sdk/store/blobs.js'
import { type ContainerRecord, containerDir, createContainer } from '../../sdk/store/containers.js'
import { addImage, type Image } from '../../sdk/store/images.js'
import type { Store } from '../../sdk/store/store.js'
import { ownRoot } from '../../sdk/store/upper.js'

export const scratchConfig = emptyConfig({ os: 'linux', architecture: 'amd64' })

/** Writes files into a container's upper directory. */
export function write(store: Store, { id }: ContainerRecord, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(containerDir(store, id), 'upper/diff', name), content)
}

/** Packs a container's upper directory and makes it a layer; equal files give equal layers. */
export async function adopt(store: Store, record: ContainerRecord, packedNow = () => {}): Promise<ContainerRecord> {
  const diff = join(containerDir(store, record.id), 'upper/diff')
  const root = await ownRoot(store, diff, record.layers)
  const packed = await packLayer(diff, { clamp: 0, root: root ? 'entry' : 'none' })
  const layers = [...record.layers, packed.diffID]
  const descriptor = { mediaType: mediaTypes.layer, digest: packed.diffID, size: packed.size }
  const config = { ...record.config, rootfs: { type: 'layers' as const, diff_ids: layers } }
  packedNow()
  const adopted = { layers, layerDescriptors: [...record.layerDescriptors, descriptor], config }
  const layer = { ...packed, ...(root ? { root } : {}), clamp: 0, created: '2020-01-01T00:00:00Z' }
  return adoptUpper(store, record, layer, adopted)
}

/** The bytes of a manifest for a container's layers; the config is put into the store. */
export async function manifestOf(store: Store, record: ContainerRecord): Promise<Buffer> {
  const config = Buffer.from(canonicalJson(record.config))
  const descriptor = { mediaType: mediaTypes.config, digest: await putBlob(store, config), size: config.length }
  const { layerDescriptors: layers } = record
  return Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: descriptor, layers }))
}

/** An image of one layer with these files, and the container that it was made in. */
export async function makeImage(
  store: Store,
  names: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<{ image: Image; container: ContainerRecord }> {
  const made = await createContainer(store, { config: scratchConfig })
  write(store, made, files)
  const container = await adopt(store, made)
  return { image: await addImage(store, await manifestOf(store, container), names), container }
}
