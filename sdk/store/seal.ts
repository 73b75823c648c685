import { join } from 'node:path'
import { type AssembledImage, assembleImage, type ImageParts, layerDescriptor } from '../image/assemble.js'
import type { History, ImageConfig } from '../image/config.js'
import type { Digest } from '../image/digest.js'
import { editConfig } from '../image/edit.js'
import { changesToEdits } from '../image/instruction.js'
import { applyLayer } from '../layer/apply.js'
import { layerStream } from '../layer/pack.js'
import { adoptUpper, copyUpper } from './adopt.js'
import { baseAnnotations } from './base-annotations.js'
import { putBlob } from './blobs.js'
import type { Adopted } from './container-record.js'
import { type ContainerRecord, containerDir, requireContainer } from './containers.js'
import { beginLayer } from './layers.js'
import { freeUpper, lockMounts, lowersOf, useRoot } from './mounts.js'
import { type LayerPacking, packedLayer, packing } from './packed-layer.js'
import type { Store } from './store.js'
import { dropMountpoints, dropUntouched } from './traces.js'

/** How a container becomes an image. */
export interface Sealing extends LayerPacking {
  /** Default: the container's own. */
  readonly format?: 'oci' | 'docker'
  readonly omitHistory: boolean
  /** Containerfile lines that change the configuration. */
  readonly changes: readonly string[]
  /** Names of environment variables to leave out. */
  readonly unsetenv: readonly string[]
}

/**
 * Makes the container's upper directory the top layer of a new image and gives the manifest's bytes. Config, manifest
 * and layer are in the store then; the image is not yet listed. The container goes on from there. The directory is
 * renamed, not copied, unless something is at work in it.
 */
export async function seal(store: Store, id: string, sealing: Sealing): Promise<Uint8Array> {
  return lockMounts(store, id, sealing.signal, async () => {
    const record = requireContainer(store, id)
    const remount = await freeUpper(store, record)
    try {
      return remount ? await sealByRename(store, record, sealing) : await sealByCopy(store, record, sealing)
    } finally {
      await remount?.()
    }
  })
}

/** The same with one layer that holds all of the container's root; the container itself stays as it is. */
export async function sealSquashed(store: Store, id: string, sealing: Sealing): Promise<Uint8Array> {
  await using root = await useRoot(store, id, sealing.signal)
  await using unfinished = await beginLayer(store)
  const stream = layerStream(root.path, { ...packing(sealing), root: 'entry' })
  const layer = await applyLayer(stream, unfinished.diff, sealing.signal ? { signal: sealing.signal } : {})
  await unfinished.finish({ ...layer, created: new Date().toISOString() })
  const record = requireContainer(store, id)
  const config: ImageConfig = { ...record.config, rootfs: { type: 'layers', diff_ids: [] }, history: [] }
  return (await putImage(store, { ...record, layerDescriptors: [], config }, layer, sealing)).manifestBytes
}

async function sealByRename(store: Store, record: ContainerRecord, sealing: Sealing): Promise<Uint8Array> {
  const diff = join(containerDir(store, record.id), 'upper/diff')
  dropUntouched(diff, lowersOf(store, record.layers), record.touched ?? [])
  const layer = await packedLayer(store, record.layers, diff, sealing)
  const image = await putImage(store, record, layer, sealing)
  if (layer.entries > 0) await adoptUpper(store, record, layer, adoptedBy(record, image, layer))
  return image.manifestBytes
}

async function sealByCopy(store: Store, record: ContainerRecord, sealing: Sealing): Promise<Uint8Array> {
  await using copy = await copyUpper(store, record, sealing.signal)
  dropMountpoints(copy.diff, record.mountpoints)
  dropUntouched(copy.diff, lowersOf(store, record.layers), record.touched ?? [])
  const layer = await packedLayer(store, record.layers, copy.diff, sealing)
  if (layer.entries > 0) await copy.finish(layer)
  return (await putImage(store, record, layer, sealing)).manifestBytes
}

interface NewLayer {
  readonly diffID: Digest
  readonly size: number
  readonly entries: number
}

async function putImage(
  store: Store,
  record: ContainerRecord,
  layer: NewLayer,
  sealing: Sealing,
): Promise<AssembledImage> {
  const image = assembleImage(partsOf(record, layer, sealing))
  await putBlob(store, image.configBytes)
  await putBlob(store, image.manifestBytes)
  return image
}

function partsOf(record: ContainerRecord, layer: NewLayer, sealing: Sealing): ImageParts {
  const { epoch, changes, unsetenv, omitHistory } = sealing
  const edits = changesToEdits(changes)
  const env = [...(edits.env ?? []), ...unsetenv.map((name) => `${name}-`)]
  return {
    config: editConfig(record.config, { ...edits, ...(env.length > 0 ? { env } : {}) }),
    layers: record.layerDescriptors,
    layer: layer.entries === 0 ? undefined : layer,
    history: [...(record.history ?? []), ...lastEntry(record, layer)],
    created: epoch === undefined ? timeOf(record, layer) : textOf(epoch * 1000),
    annotations: { ...record.annotations, ...baseAnnotations(record) },
    format: sealing.format ?? record.format,
    omitHistory,
  }
}

/** A container with steps has told already what made its layers. */
function lastEntry({ next = {}, config, steps }: ContainerRecord, layer: NewLayer): History[] {
  if (steps && layer.entries === 0 && Object.keys(next).length === 0) return []
  const { createdBy = '/bin/sh', comment } = next
  const author = config.author ? { author: config.author } : {}
  return [{ created_by: createdBy, ...(comment ? { comment } : {}), ...author }]
}

/** That of the last step, when the image adds nothing to it: steps that come from a cache give the same image again. */
function timeOf({ steps, config }: ContainerRecord, layer: NewLayer): string {
  const isTold = steps !== undefined && layer.entries === 0
  const told = isTold ? config.history?.findLast(({ created }) => created !== undefined) : undefined
  return told?.created ?? textOf(Date.now())
}

function textOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z')
}

/** The container after its upper directory became a layer: the next commit stands on the image just made. */
function adoptedBy(record: ContainerRecord, { config }: AssembledImage, layer: NewLayer): Adopted {
  const below = { rootfs: config.rootfs, ...(config.history ? { history: config.history } : {}) }
  return {
    layers: [...record.layers, layer.diffID],
    layerDescriptors: [...record.layerDescriptors, layerDescriptor(layer)],
    config: { ...record.config, ...below },
  }
}
