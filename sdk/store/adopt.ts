import { execFile } from 'node:child_process'
import { lstatSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { asBuilderError, BuilderError } from '../errors.js'
import type { ImageConfig } from '../image/config.js'
import { containerDir, withContainer, writeContainer } from './container-files.js'
import type { Adopted, ContainerRecord } from './container-record.js'
import { beginLayer, type LayerRecord, moveLayer, type PendingLayer, writeLayerRecord } from './layers.js'
import { withLock } from './locks.js'
import { emptied } from './remove-tree.js'
import type { Store } from './store.js'
import { temporaryPath } from './temporary.js'
import { forgetAdoption, makeUpper, upperDiff } from './upper.js'

/**
 * Makes a container's upper directory a layer, by renaming it; the container goes on with an empty one above. The
 * caller has packed `upper/diff`, with a root entry when {@link ownRoot} says so, and neither it nor anybody else writes
 * there any more, for it is not mounted; run it inside the namespace. `adopted` is what the record says afterwards.
 *
 * A kill at any instant leaves the old state or the new, and {@link recoverContainer} tells them apart:
 * 1. `upper/layer.json` is written. 2. `adopting` is set in container.json: from here on it is the intent that counts.
 * 3. `upper` is renamed to the layer's place, or away when the store has that layer; `upper/layer.json` goes with it,
 * so where it is missing, this has happened. 4. A new upper directory is made. 5. container.json names the layer.
 *
 * Throws `NOT_FOUND`, `SYSTEM`, and `IN_USE` when another commit of the container was faster.
 */
export async function adoptUpper(
  store: Store,
  container: Pick<ContainerRecord, 'id' | 'name'>,
  layer: LayerRecord,
  adopted: Adopted,
): Promise<ContainerRecord> {
  const purpose = `commit ${container.name}`
  const adopt = async (found: ContainerRecord) => {
    const current = found.adopting === undefined ? found : await recover(store, found)
    if (adopted.layers.length !== current.layers.length + 1) throw overtaken(container.name)
    const folder = containerDir(store, current.id)
    writeLayerRecord(store, join(folder, 'upper'), layer)
    const intent = { ...current, adopting: layer.diffID, adopted }
    writeContainer(store, intent, true)
    const unwanted = await giveAway(store, current.id, layer)
    return { record: await complete(store, intent), unwanted }
  }
  // Against a prune, which would not know yet that the layer is needed.
  const shared = { shared: true, purpose }
  const run = () => withContainer(store, container.id, purpose, adopt)
  const { record, unwanted } = await withLock(store, 'store', run, shared)
  if (unwanted !== undefined) await emptied(store, unwanted)
  return record
}

/**
 * Finishes or undoes an adoption that a killed process began, and gives the record that holds then. Waits while another
 * process is at it. Does nothing when there is none. Run it inside the namespace. Throws `NOT_FOUND`, `SYSTEM`.
 */
export async function recoverContainer(store: Store, id: string): Promise<ContainerRecord> {
  return withContainer(store, id, `recover container ${id.slice(0, 12)}`, (record) =>
    record.adopting === undefined ? record : recover(store, record),
  )
}

/**
 * A layer in the making that is a copy of a container's upper directory, for a container that is in use: pack its
 * `diff`, then `finish`. Blocks are shared where the file system can. The container does not change. Run it inside the
 * namespace. Throws `SYSTEM`, `ABORTED`.
 */
export async function copyUpper(
  store: Store,
  container: Pick<ContainerRecord, 'id' | 'name'>,
  signal?: AbortSignal,
): Promise<PendingLayer> {
  const layer = await beginLayer(store)
  const source = upperDiff(containerDir(store, container.id))
  try {
    await promisify(execFile)('cp', ['-a', '--reflink=auto', '-T', source, layer.diff], signal ? { signal } : {})
    return layer
  } catch (error) {
    await layer[Symbol.asyncDispose]()
    throw copyFailed(error, container.name, source)
  }
}

/** Gives the path under `tmp/` that the upper directory has now, when the store had the layer already. */
async function giveAway(store: Store, id: string, layer: LayerRecord): Promise<string | undefined> {
  const upper = join(containerDir(store, id), 'upper')
  if (await moveLayer(store, upper, layer.diffID)) return undefined
  const unwanted = temporaryPath(store)
  renameSync(upper, unwanted)
  return unwanted
}

/** Finishes what `adopting` says when the upper directory is gone or empty: the record names the new layers. */
export async function complete(store: Store, record: ContainerRecord, flush = true): Promise<ContainerRecord> {
  const { adopting: _done, adopted, history: _said, next: _told, touched: _left, ...rest } = record
  // What was configured meanwhile stays.
  const config = { ...record.config, ...below(adopted) }
  const after = { ...rest, ...adopted, config }
  await makeUpper(store, containerDir(store, record.id), after.layers)
  writeContainer(store, after, flush)
  return after
}

function below(adopted: Adopted | undefined): Partial<ImageConfig> {
  if (!adopted) return {}
  const { rootfs, history } = adopted.config
  return { rootfs, ...(history ? { history } : {}) }
}

/** The intent is dropped before its note, so that a kill between the two cannot look like step 3. */
async function recover(store: Store, record: ContainerRecord): Promise<ContainerRecord> {
  const { adopting, adopted: _, ...old } = record
  const folder = containerDir(store, record.id)
  if (adopting === undefined) return record
  if (!lstatSync(join(folder, 'upper/layer.json'), { throwIfNoEntry: false })) return complete(store, record)
  writeContainer(store, old, true)
  forgetAdoption(folder)
  return old
}

function overtaken(name: string): BuilderError {
  const reason = 'it was committed by another process in the meantime'
  return new BuilderError('IN_USE', { operation: 'commit', object: name, reason, hint: 'commit it again' })
}

function copyFailed(error: unknown, name: string, source: string): BuilderError {
  const { stderr } = error as { stderr?: string }
  const reason = stderr?.trim().split('\n')[0]
  if (!reason) return asBuilderError(error, 'commit', source)
  const full = /No space left on device/.test(reason)
  return new BuilderError('SYSTEM', {
    operation: 'commit',
    object: name,
    reason: full ? 'the disk is full' : `its files cannot be copied: ${reason}`,
    hint: full
      ? 'free some space (builder prune, builder rmi) and try again'
      : 'unmount it, then nothing has to be copied',
    cause: error,
  })
}
