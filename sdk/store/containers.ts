import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { canonicalJson } from '../image/config.js'
import { mountsBelow } from '../namespace/mountinfo.js'
import { containerDir, lockOf, scanContainers, withContainer, writeContainer } from './container-files.js'
import { type ContainerRecord, isContainerName, parseContainerRecord } from './container-record.js'
import { hasLayer } from './layers.js'
import { withLock } from './locks.js'
import { randomHex } from './random.js'
import { emptied, emptyTmp, removeTree } from './remove-tree.js'
import type { Store } from './store.js'
import { replaceFile, temporaryPath } from './temporary.js'
import { makeUpper } from './upper.js'

export { containerDir, listContainers, requireContainer } from './container-files.js'
export type {
  ContainerDefaults,
  ContainerMount,
  ContainerRecord,
  ContainerSteps,
  Mountpoint,
} from './container-record.js'
export { findContainer } from './find-container.js'

/** What a new container is given; the store adds the rest. */
export type NewContainer = Pick<ContainerRecord, 'config'> &
  Partial<
    Pick<
      ContainerRecord,
      'name' | 'from' | 'layers' | 'layerDescriptors' | 'annotations' | 'format' | 'defaults' | 'steps' | 'owner'
    >
  >

/**
 * Makes a container with an empty upper directory. Without a name it gets buildah's: the last part of the image's name
 * and `-working-container`, numbered when that is taken. Throws `EXISTS`, `INVALID` (name), `NOT_FOUND` (a layer), `SYSTEM`.
 */
export async function createContainer(store: Store, fields: NewContainer): Promise<ContainerRecord> {
  if (fields.name !== undefined) checkName(fields.name)
  const purpose = `make container ${fields.name ?? ''}`
  const create = async () => {
    checkLayers(store, fields.layers ?? [])
    // What a killed process left is cleared by who comes next; prune says why when that fails.
    await emptyTmp(store).catch(() => undefined)
    const folder = temporaryPath(store)
    try {
      await makeFolder(store, folder, fields.layers ?? [])
      return await withLock(store, 'containers', () => publish(store, folder, fields), { purpose })
    } catch (error) {
      await emptied(store, folder)
      throw asBuilderError(error, 'make container', fields.name)
    }
  }
  return withLock(store, 'store', create, { shared: true, purpose })
}

/**
 * Changes a container's record as one step under its lock, and gives the new one. The edit gets the record as it is on
 * disk now; the same object given back writes nothing. Throws `NOT_FOUND`, `INVALID`, `SYSTEM`, and what the edit throws.
 */
export async function updateContainer(
  store: Store,
  id: string,
  edit: (record: ContainerRecord) => ContainerRecord,
): Promise<ContainerRecord> {
  return withContainer(store, id, `change container ${id.slice(0, 12)}`, (record) => {
    const edited = edit(record)
    if (edited !== record) writeContainer(store, edited)
    return edited
  })
}

/** Gives a container another name. Throws `EXISTS`, `INVALID`, `NOT_FOUND`, `SYSTEM`. */
export async function renameContainer(store: Store, id: string, name: string): Promise<ContainerRecord> {
  checkName(name)
  const rename = () => {
    const taken = scanContainers(store).records.some((other) => other.name === name && other.id !== id)
    if (taken) throw nameTaken(name)
    return updateContainer(store, id, (record) => ({ ...record, name }))
  }
  return withLock(store, 'containers', rename, { purpose: `rename container to ${name}` })
}

/**
 * Deletes a container with its changes; run it inside the namespace. One that is gone already is no error. Throws
 * `IN_USE` when it is mounted, `SYSTEM`.
 */
export async function removeContainer(store: Store, record: Pick<ContainerRecord, 'id' | 'name'>): Promise<void> {
  const purpose = `remove container ${record.name}`
  const remove = async () => {
    const mounts = mountsBelow(containerDir(store, record.id))
    if (mounts[0] !== undefined) throw stillMounted(record.name, mounts[0])
    await removeTree(store, containerDir(store, record.id))
  }
  await withLock(store, lockOf(record.id), remove, { purpose })
}

function checkLayers(store: Store, layers: readonly `sha256:${string}`[]): void {
  const lost = layers.find((diffID) => !hasLayer(store, diffID))
  if (lost === undefined) return
  const reason = 'the layer is not unpacked in the store'
  throw new BuilderError('NOT_FOUND', {
    operation: 'make container',
    object: lost,
    reason,
    hint: 'pull the image again',
  })
}

async function makeFolder(store: Store, folder: string, layers: readonly `sha256:${string}`[]): Promise<void> {
  mkdirSync(folder, { mode: 0o700 })
  for (const name of ['work', 'merged', 'l']) mkdirSync(join(folder, name))
  await makeUpper(store, folder, layers)
}

function publish(store: Store, folder: string, fields: NewContainer): ContainerRecord {
  const names = new Set(scanContainers(store).records.map(({ name }) => name))
  if (fields.name !== undefined && names.has(fields.name)) throw nameTaken(fields.name)
  const record: ContainerRecord = {
    layers: [],
    layerDescriptors: [],
    annotations: {},
    format: 'oci',
    defaults: {},
    mountpoints: [],
    ...fields,
    id: randomHex(32),
    name: fields.name ?? freeName(fields.from?.name, names),
    created: new Date().toISOString(),
  }
  const text = canonicalJson(record)
  parseContainerRecord(text, 'container.json')
  replaceFile(store, join(folder, 'container.json'), text, { flush: true })
  renameSync(folder, containerDir(store, record.id))
  return record
}

function freeName(image: string | undefined, names: ReadonlySet<string>): string {
  const last =
    image
      ?.replace(/@.*$/, '')
      .replace(/^.*\//, '')
      .replace(/:.*$/, '')
      .replace(/^([0-9a-f]{12})[0-9a-f]{52}$/, '$1') ?? ''
  const stem = last
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 90)
  const name = stem === '' || stem === 'scratch' ? 'working-container' : `${stem}-working-container`
  for (let i = 0; ; i++) {
    const numbered = i === 0 ? name : `${name}-${i}`
    if (!names.has(numbered)) return numbered
  }
}

function checkName(name: string): void {
  if (isContainerName(name)) return
  throw new BuilderError('INVALID', {
    operation: 'name container',
    object: JSON.stringify(name),
    reason: 'it is not a container name',
    hint: 'use letters, digits and . _ - (at most 128, a letter or a digit first)',
  })
}

function nameTaken(name: string): BuilderError {
  return new BuilderError('EXISTS', {
    operation: 'name container',
    object: name,
    reason: 'another container has this name',
    hint: `choose another one, or remove it first: builder rm ${name}`,
  })
}

function stillMounted(name: string, path: string): BuilderError {
  const reason = `it is mounted on ${path}`
  return new BuilderError('IN_USE', {
    operation: 'remove container',
    object: name,
    reason,
    hint: `builder umount ${name}`,
  })
}
