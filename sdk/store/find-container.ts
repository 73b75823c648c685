import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { isInside } from '../namespace/inside.js'
import { recoverContainer } from './adopt.js'
import { readContainer, scanContainers } from './container-files.js'
import type { ContainerRecord } from './container-record.js'
import type { Store } from './store.js'

/**
 * Finds a container by name, by ID or by the beginning of an ID, and sets right what a killed commit left of it.
 * `operation` is what the caller is doing, for the message. Throws `NOT_FOUND` with a suggestion, `USAGE` when several
 * IDs begin so, `INVALID` when the record is damaged.
 */
export async function findContainer(store: Store, nameOrId: string, operation: string): Promise<ContainerRecord> {
  const record = search(store, nameOrId, operation)
  return record.adopting === undefined ? record : recovered(store, record)
}

function search(store: Store, text: string, operation: string): ContainerRecord {
  const exact = /^[0-9a-f]{64}$/.test(text) ? readContainer(store, text) : undefined
  if (exact) return exact
  const { records, damaged } = scanContainers(store)
  const named = records.find(({ name }) => name === text)
  if (named) return named
  const begun = /^[0-9a-f]{3,63}$/.test(text) ? records.filter(({ id }) => id.startsWith(text)) : []
  if (begun.length > 1) throw ambiguous(text, begun, operation)
  const [only] = begun
  if (only) return only
  throw damaged[0] ?? unknown(text, records, operation)
}

/** Needs to be inside; outside, where only metadata is read, the record tells enough. */
async function recovered(store: Store, record: ContainerRecord): Promise<ContainerRecord> {
  return isInside() ? recoverContainer(store, record.id) : record
}

function ambiguous(text: string, records: readonly ContainerRecord[], operation: string): BuilderError {
  const ids = records.map(({ id, name }) => `${id.slice(0, 12)} (${name})`).join(', ')
  const reason = `the IDs of ${records.length} containers begin so: ${ids}`
  return new BuilderError('USAGE', { operation, object: text, reason, hint: 'give more digits or the name' })
}

function unknown(text: string, records: readonly ContainerRecord[], operation: string): BuilderError {
  const near = nearestWord(
    text,
    records.map(({ name }) => name),
  )
  const hint = near === undefined ? 'see builder containers, or make one: builder from IMAGE' : `did you mean ${near}?`
  return new BuilderError('NOT_FOUND', { operation, object: text || '""', reason: 'there is no such container', hint })
}
