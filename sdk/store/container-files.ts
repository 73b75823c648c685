import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { canonicalJson } from '../image/config.js'
import { type ContainerRecord, parseContainerRecord } from './container-record.js'
import { withLock } from './locks.js'
import type { Store } from './store.js'
import { replaceFile } from './temporary.js'

/** A container's folder: `container.json`, `upper/diff`, `work`, `merged`, `l`. */
export function containerDir(store: Store, id: string): string {
  return join(store.root, 'containers', id)
}

/** All containers, the oldest first. Throws `INVALID`, naming the record that is damaged. */
export async function listContainers(store: Store): Promise<ContainerRecord[]> {
  const { records, damaged } = scanContainers(store)
  if (damaged[0]) throw damaged[0]
  return records
}

/** Every record that can be read, the oldest first, and what is wrong with the others. */
export function scanContainers(store: Store): { records: ContainerRecord[]; damaged: BuilderError[] } {
  const records: ContainerRecord[] = []
  const damaged: BuilderError[] = []
  for (const id of readdirSync(join(store.root, 'containers'))) {
    try {
      const record = readContainer(store, id)
      if (record) records.push(record)
    } catch (error) {
      damaged.push(asBuilderError(error, 'read container', containerDir(store, id)))
    }
  }
  records.sort((a, b) => (a.created === b.created ? (a.id < b.id ? -1 : 1) : a.created < b.created ? -1 : 1))
  return { records, damaged }
}

/** One container's record; undefined when there is none. Throws `INVALID`, `SYSTEM`. */
export function readContainer(store: Store, id: string): ContainerRecord | undefined {
  const path = recordPath(store, id)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // ENOTDIR: a stray file, which is no container.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw asBuilderError(error, 'read container', path)
  }
  const record = parseContainerRecord(text, path)
  if (record.id === id) return record
  throw new BuilderError('INVALID', { operation: 'read container', object: path, reason: `it is of ${record.id}` })
}

/** The record of a container that is known to have existed. Throws `NOT_FOUND` when it was removed, `INVALID`, `SYSTEM`. */
export function requireContainer(store: Store, id: string): ContainerRecord {
  const record = readContainer(store, id)
  if (record) return record
  const reason = 'the container was removed in the meantime'
  throw new BuilderError('NOT_FOUND', { operation: 'read container', object: id.slice(0, 12), reason })
}

/** Runs a task with a container's current record under its lock. Throws `NOT_FOUND` when it was removed. */
export async function withContainer<T>(
  store: Store,
  id: string,
  purpose: string,
  task: (record: ContainerRecord) => T | Promise<T>,
): Promise<T> {
  return withLock(store, lockOf(id), () => task(requireContainer(store, id)), { purpose })
}

/** The name of a container's lock. */
export function lockOf(id: string): string {
  return `container-${id}`
}

/** Writes a record in place of the old one; the caller holds the container's lock. Throws `INVALID`, `SYSTEM`. */
export function writeContainer(store: Store, record: ContainerRecord, flush = false): void {
  const path = recordPath(store, record.id)
  const text = canonicalJson(record)
  parseContainerRecord(text, path)
  replaceFile(store, path, text, { flush })
}

function recordPath(store: Store, id: string): string {
  return join(containerDir(store, id), 'container.json')
}
