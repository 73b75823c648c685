import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { asBuilderError } from '../errors.js'
import type { ModeChange } from '../layer/chmod.js'
import { isExcluded } from '../layer/left-out.js'
import { bytesOf, readable, systemPath } from '../layer/names.js'
import { type Source, sourceBytes } from '../layer/sources.js'

/** How what is read will be placed: what makes no difference then is no part of the digest. */
export interface ContentOptions {
  /** `given`: all of it gets an owner that is an input of its own. `kept`: each file's owner is placed with it. */
  readonly owners: 'given' | 'kept'
  readonly mode?: ModeChange
  /** As `TransplantOptions` has them. */
  readonly ignores?: (path: string, top: string, kept?: string) => boolean
  readonly enterIgnored?: boolean | ((path: string, top: string, kept?: string) => boolean)
  /** The folders that lead to a source are placed with it. */
  readonly parents?: boolean
  readonly signal?: AbortSignal
}

/** Everything that a copy of these sources would place, in its order; nothing is followed. Throws `SYSTEM`, `ABORTED`. */
export async function walkSources(sources: readonly Source[], options: ContentOptions): Promise<Found[]> {
  const found: Found[] = []
  for (const source of sources) await walkSource(source, options, found)
  return found
}

/** One thing that would be placed. */
export interface Found {
  /** Where it is, bytes as latin1. */
  readonly path: string
  /** What the walk began with. */
  readonly top: string
  /** What it is called where it is placed; bytes as latin1. */
  readonly name: string
  readonly info: BigIntStats
  /** Bytes, of a file. */
  readonly size: number
  content?: string
}

async function walkSource(source: Source, options: ContentOptions, found: Found[]): Promise<void> {
  const { path: top, name } = sourceBytes(source)
  const { isDirectory, fromTop } = source
  const kept = options.parents ? (source.kept?.path ?? '') : ''
  const prefix = kept === '' ? '' : `${bytesOf(kept)}/`
  if (isExcluded(source, options, options.parents ?? false)) return
  try {
    for (const one of parentsOf(source, kept)) found.push(one)
    if (isDirectory) await walk({ top, prefix, kept, fromTop, options, found, count: 0 }, top, '')
    else {
      const info = lstatSync(systemPath(top), { bigint: true })
      if (!info.isSocket()) found.push(foundAt(top, top, prefix === '' ? name : prefix, info))
    }
  } catch (error) {
    throw asBuilderError(error, 'read', source.path)
  }
}

/** The folders that lead to a source are placed as they are. */
function parentsOf({ kept, isDirectory, path }: Source, names: string): Found[] {
  if (!kept || names === '') return []
  const all = names.split('/')
  return all.slice(0, isDirectory ? all.length : -1).map((_, i) => {
    const below = bytesOf(all.slice(0, i + 1).join('/'))
    const at = `${bytesOf(kept.base)}/${below}`
    return foundAt(bytesOf(path), at, below, statSync(systemPath(at), { bigint: true }))
  })
}

interface Walk {
  readonly top: string
  readonly prefix: string
  readonly fromTop: string
  /** What `--parents` keeps of its path. */
  readonly kept: string
  readonly options: ContentOptions
  readonly found: Found[]
  count: number
}

/** The same names in the same order as `Transplant` takes them. */
async function walk(state: Walk, folder: string, below: string): Promise<void> {
  const { options, found, top, prefix } = state
  for (const name of readdirSync(systemPath(folder), { encoding: 'latin1' }).sort()) {
    if (++state.count % 2048 === 0) await setImmediate()
    options.signal?.throwIfAborted()
    const path = below === '' ? name : `${below}/${name}`
    const at = `${folder}/${name}`
    const left = options.ignores?.(readable(path), state.fromTop, state.kept) ?? false
    if (left && !enters(state, path)) continue
    const info = lstatSync(systemPath(at), { bigint: true })
    if (left && !info.isDirectory()) continue
    if (!left && !info.isSocket()) found.push(foundAt(top, at, prefix + path, info))
    if (info.isDirectory()) await walk(state, at, path)
  }
}

function enters({ options, fromTop, kept }: Walk, path: string): boolean {
  const { enterIgnored = false } = options
  return typeof enterIgnored === 'function' ? enterIgnored(readable(path), fromTop, kept) : enterIgnored
}

function foundAt(top: string, path: string, name: string, info: BigIntStats): Found {
  return { top, path, name, info, size: info.isFile() ? Number(info.size) : 0 }
}
