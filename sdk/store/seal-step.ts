import { readdirSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { layerDescriptor } from '../image/assemble.js'
import type { History, ImageConfig } from '../image/config.js'
import type { Digest } from '../image/digest.js'
import { adoptUpper, complete, recoverContainer } from './adopt.js'
import { withContainer, writeContainer } from './container-files.js'
import type { Adopted } from './container-record.js'
import { type ContainerRecord, containerDir } from './containers.js'
import { hasLayer } from './layers.js'
import { withLock } from './locks.js'
import { freeUpper, lockMounts, lowersOf } from './mounts.js'
import { type LayerPacking, packedLayer } from './packed-layer.js'
import type { Store } from './store.js'
import { dropUntouched } from './traces.js'
import { ownRoot, upperDiff } from './upper.js'

/** How a step is sealed. */
export interface StepSealing extends LayerPacking {
  /** What the image's history will say of the step; without it the layer is told as one that nobody described. */
  readonly history?: History
  /** No entry in the history when nothing changed. */
  readonly omitEmpty?: boolean
}

/** A layer that a step added. */
export interface StepLayer {
  readonly diffID: Digest
  /** Bytes of the uncompressed tar. */
  readonly size: number
}

/**
 * Makes the container's upper directory its topmost layer, by renaming it, as a commit does, but makes no image: the
 * container goes on with the layer below and an empty upper directory. No layer when nothing changed. A kill at any
 * instant leaves the old state or the new. Run it inside the namespace. Throws `IN_USE` while something works in the
 * container, `NOT_FOUND`, `ABORTED`, `SYSTEM`, and what packing throws.
 */
export async function sealStep(store: Store, id: string, sealing: StepSealing = {}): Promise<{ layer?: StepLayer }> {
  const seal = () => underMountLock(store, id, sealing.signal, (record) => sealRecord(store, record, sealing))
  const signal = sealing.signal ? { signal: sealing.signal } : {}
  return withLock(store, 'store', seal, { shared: true, purpose: 'seal step', ...signal })
}

/**
 * Gives a container whose upper directory is empty layers that the store has, as if a step had made them. Throws
 * `IN_USE` when the upper directory is not empty or something works in the container, `NOT_FOUND` for a layer that is
 * not there, `SYSTEM`.
 */
export async function advanceContainer(
  store: Store,
  id: string,
  layers: readonly StepLayer[],
  { history, signal }: Pick<StepSealing, 'history' | 'signal'> = {},
): Promise<ContainerRecord> {
  const advance = () =>
    underMountLock(store, id, signal, async (record) => {
      if (await hasChanges(store, record)) throw notEmpty(record)
      for (const { diffID } of layers) if (!hasLayer(store, diffID)) throw lost(diffID)
      return withContainer(store, id, 'advance container', (now) => goOn(store, now, layers, history))
    })
  return withLock(store, 'store', advance, { shared: true, purpose: 'advance container' })
}

/** Whether a container has changes that are in none of its layers yet. What runs only touched is no change. */
export async function hasChanges(store: Store, record: ContainerRecord): Promise<boolean> {
  const diff = upperDiff(containerDir(store, record.id))
  dropUntouched(diff, lowersOf(store, record.layers), record.touched ?? [])
  return readdirSync(diff).length > 0 || (await ownRoot(store, diff, record.layers)) !== undefined
}

async function goOn(
  store: Store,
  record: ContainerRecord,
  layers: readonly StepLayer[],
  history: History | undefined,
): Promise<ContainerRecord> {
  const adopted = withLayers(record, layers, history)
  const last = layers.at(-1)
  // Another root below needs another upper directory: an intent, so that a kill leaves both or none.
  const intent = last ? { ...record, adopting: last.diffID, adopted } : { ...record, adopted }
  if (last) writeContainer(store, intent)
  // Nothing is made here that a power cut could lose: the layers are in the store.
  return complete(store, intent, false)
}

async function sealRecord(store: Store, record: ContainerRecord, sealing: StepSealing): Promise<{ layer?: StepLayer }> {
  const diff = upperDiff(containerDir(store, record.id))
  dropUntouched(diff, lowersOf(store, record.layers), record.touched ?? [])
  const packed = await packedLayer(store, record.layers, diff, sealing)
  if (packed.entries === 0) {
    if (sealing.history && !sealing.omitEmpty)
      await withContainer(store, record.id, 'seal step', (now) => goOn(store, now, [], sealing.history))
    return {}
  }
  const layer = { diffID: packed.diffID, size: packed.size }
  await adoptUpper(store, record, packed, withLayers(record, [layer], sealing.history))
  return { layer }
}

/** What the record says after a step: the next one stands on its layers. */
function withLayers(record: ContainerRecord, layers: readonly StepLayer[], history: History | undefined): Adopted {
  const { config } = record
  const diffIDs = [...config.rootfs.diff_ids, ...layers.map(({ diffID }) => diffID)]
  const said = historyAfter(record, layers.length, history)
  return {
    layers: [...record.layers, ...layers.map(({ diffID }) => diffID)],
    layerDescriptors: [...record.layerDescriptors, ...layers.map(layerDescriptor)],
    config: { ...config, rootfs: { type: 'layers', diff_ids: diffIDs }, history: said } satisfies ImageConfig,
  }
}

/** Told in the order in which it happened: what was noted for the next commit, then the step. */
function historyAfter(
  { config, history: noted, next }: ContainerRecord,
  layers: number,
  history: History | undefined,
): readonly History[] {
  const told = config.history ?? []
  const before = (noted ?? []).map((entry) => ({ ...entry, empty_layer: true }))
  if (layers === 0) return [...told, ...before, ...(history ? [{ ...history, empty_layer: true }] : [])]
  // The number of entries that are not empty must be the number of layers, also where the image below had no history.
  const missing = config.rootfs.diff_ids.length - told.filter((entry) => !entry.empty_layer).length
  const fill = Array.from({ length: Math.max(missing, 0) }, () => ({
    comment: 'layer of the base image, which had no history',
  }))
  const steps = Array.from({ length: layers }, (_, i) => (i === layers - 1 ? (history ?? stepOf(next)) : stepOf(next)))
  return [...fill, ...told, ...before, ...steps]
}

function stepOf({ createdBy = '/bin/sh', comment }: NonNullable<ContainerRecord['next']> = {}): History {
  return { created_by: createdBy, ...(comment ? { comment } : {}) }
}

async function underMountLock<T>(
  store: Store,
  id: string,
  signal: AbortSignal | undefined,
  task: (record: ContainerRecord) => Promise<T>,
): Promise<T> {
  return lockMounts(store, id, signal, async () => {
    const record = await recoverContainer(store, id)
    const remount = await freeUpper(store, record)
    if (!remount) throw inUse(record)
    try {
      return await task(record)
    } finally {
      await remount()
    }
  })
}

function inUse({ name }: ContainerRecord): BuilderError {
  const hint = 'wait until it is done, or unmount the container'
  const reason = 'something else works in the container'
  return new BuilderError('IN_USE', { operation: 'seal step', object: name, reason, hint })
}

function notEmpty({ name }: ContainerRecord): BuilderError {
  const reason = 'it has changes that are in no layer yet'
  return new BuilderError('IN_USE', { operation: 'advance container', object: name, reason, hint: 'commit it first' })
}

function lost(diffID: Digest): BuilderError {
  const reason = 'the layer is not unpacked in the store'
  return new BuilderError('NOT_FOUND', { operation: 'advance container', object: diffID, reason })
}
