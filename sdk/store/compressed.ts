import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson } from '../image/config.js'
import { type Digest, isDigest } from '../image/digest.js'
import type { Store } from './store.js'
import { replaceFile } from './temporary.js'

/** Digest and size of a compressed blob. */
export interface CompressedBlob {
  readonly digest: Digest
  readonly size: number
}

/**
 * What layers became when they were compressed before, by their digest and the kind of compression: whoever has that blob
 * need not be sent it, and nobody has to compress to know. Undefined when it is not known.
 */
export function findCompressed(store: Store, layer: Digest, kind: string): CompressedBlob | undefined {
  return read(store).get(`${layer} ${kind}`)
}

/** Remembers it. Of two processes that do so at once one may be forgotten, which costs time only. Throws `SYSTEM`. */
export function noteCompressed(store: Store, layer: Digest, kind: string, { digest, size }: CompressedBlob): void {
  const known = read(store)
  const key = `${layer} ${kind}`
  // The youngest last.
  known.delete(key)
  known.set(key, { digest, size })
  mkdirSync(join(store.root, 'cache'), { recursive: true, mode: 0o700 })
  replaceFile(store, path(store), canonicalJson([...known].slice(-mostKnown)))
}

function path(store: Store): string {
  return join(store.root, 'cache/compressed.json')
}

/** About 250 bytes each. */
const mostKnown = 4000

/** It can be made again: what cannot be read is not known. */
function read(store: Store): Map<string, CompressedBlob> {
  try {
    const entries = JSON.parse(readFileSync(path(store), 'utf8')) as unknown
    return new Map(Array.isArray(entries) ? entries.filter(isEntry) : [])
  } catch {
    return new Map()
  }
}

function isEntry(value: unknown): value is [string, CompressedBlob] {
  if (!Array.isArray(value) || typeof value[0] !== 'string') return false
  const { digest, size } = (value[1] ?? {}) as Partial<CompressedBlob>
  return isDigest(digest) && Number.isSafeInteger(size) && (size as number) >= 0
}
