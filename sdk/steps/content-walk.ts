import { type BigIntStats, lstatSync, readdirSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { asBuilderError } from '../errors.js'
import type { ModeChange } from '../layer/chmod.js'
import { bytesOf, readable, systemPath } from '../layer/names.js'
import type { Source } from '../layer/sources.js'

/** How what is read will be placed: what makes no difference then is no part of the digest. */
export interface ContentOptions {
  /** `given`: all of it gets an owner that is an input of its own. `kept`: each file's owner is placed with it. */
  readonly owners: 'given' | 'kept'
  readonly mode?: ModeChange
  /** As `TransplantOptions` has them. */
  readonly ignores?: (path: string, top: string) => boolean
  readonly enterIgnored?: boolean | ((path: string, top: string) => boolean)
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
  const top = bytesOf(source.path)
  const prefix = options.parents ? `${bytesOf(source.fromTop)}/` : ''
  try {
    if (source.isDirectory) await walk({ top, prefix, fromTop: source.fromTop, options, found, count: 0 }, top, '')
    else {
      const info = lstatSync(systemPath(top), { bigint: true })
      if (!info.isSocket()) found.push(foundAt(top, top, prefix === '' ? bytesOf(source.name) : prefix, info))
    }
  } catch (error) {
    throw asBuilderError(error, 'read', source.path)
  }
}

interface Walk {
  readonly top: string
  readonly prefix: string
  readonly fromTop: string
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
    const left = options.ignores?.(readable(path), state.fromTop) ?? false
    if (left && !enters(state, path)) continue
    const info = lstatSync(systemPath(at), { bigint: true })
    if (left && !info.isDirectory()) continue
    if (!left && !info.isSocket()) found.push(foundAt(top, at, prefix + path, info))
    if (info.isDirectory()) await walk(state, at, path)
  }
}

function enters({ options, fromTop }: Walk, path: string): boolean {
  const { enterIgnored = false } = options
  return typeof enterIgnored === 'function' ? enterIgnored(readable(path), fromTop) : enterIgnored
}

function foundAt(top: string, path: string, name: string, info: BigIntStats): Found {
  return { top, path, name, info, size: info.isFile() ? Number(info.size) : 0 }
}
