import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BuilderError } from '../errors.js'
import { resolveInRoot } from '../namespace/rooted-path.js'
import { parseMount } from '../runtime/mount-option.js'
import type { MountRequest, MountWish } from '../runtime/mount-request.js'
import { parseVolume } from '../runtime/volume.js'
import type { ContainerRecord } from '../store/container-record.js'
import { acquireLock } from '../store/locks.js'
import type { Store } from '../store/store.js'
import { otherRoot } from './other-root.js'
import type { RunOptions } from './run-options.js'

/** The mounts of a run, and what has to be let go after it. */
export interface RunMounts {
  readonly mounts: readonly MountRequest[]
  readonly held: readonly AsyncDisposable[]
}

/** Finds the sources of all mounts of a run: volumes of the container and of the command, binds, tmpfs, caches. */
export async function mountsOf(store: Store, record: ContainerRecord, options: RunOptions): Promise<RunMounts> {
  const held: AsyncDisposable[] = []
  const volumes = [...(record.defaults.volume ?? []), ...(options.volume ?? [])].map(parseVolume)
  const mounts: MountRequest[] = []
  try {
    for (const text of options.mount ?? []) mounts.push(await mountOf(store, parseMount(text), text, options, held))
  } catch (error) {
    for (const one of held.reverse()) await one[Symbol.asyncDispose]()
    throw error
  }
  return { mounts: [...volumes, ...mounts], held }
}

async function mountOf(store: Store, wish: MountWish, text: string, options: RunOptions, held: AsyncDisposable[]) {
  if (wish.type === 'tmpfs') return wish
  if (wish.type === 'cache') return cacheMount(store, wish, options, held)
  const { from, source = '/', ...rest } = wish
  if (from !== undefined) {
    const root = await otherRoot(store, from, options.signal)
    held.push(root)
    return { ...rest, source: resolveInRoot(root.path, source) }
  }
  if (wish.source === undefined) throw noSource(text)
  return { ...rest, source: sourceOnHost(source, options) }
}

/** With a context folder nothing outside it can be named. */
function sourceOnHost(source: string, { contextdir }: RunOptions): string {
  if (contextdir === undefined) return resolve(source)
  return resolveInRoot(realpathSync(contextdir), source)
}

type CacheWish = Extract<MountWish, { type: 'cache' }>

/** A cache is a folder of the store that many runs share, or one at a time (`locked`), or each its own (`private`). */
async function cacheMount(store: Store, wish: CacheWish, options: RunOptions, held: AsyncDisposable[]) {
  const { id = wish.destination, mode = 0o755, uid = 0, gid = 0, from: _, source: __, ...rest } = wish
  const name = createHash('sha256').update(id).digest('hex').slice(0, 32)
  const signal = options.signal ? { signal: options.signal } : {}
  let number = 0
  if (wish.sharing === 'locked') {
    held.push(await acquireLock(store, `cache-${name}`, { purpose: `run with cache ${id}`, ...signal }))
  } else if (wish.sharing === 'private') {
    const free = (n: number) => acquireLock(store, `cache-${name}-${n}`, { wait: false }).catch(orBusy)
    for (let lock = await free(0); ; lock = await free(++number)) {
      if (!lock) continue
      held.push(lock)
      break
    }
  }
  const folder = join(store.root, 'cache/mounts', number === 0 ? name : `${name}-${number}`)
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true })
    chownSync(folder, uid, gid)
    chmodSync(folder, mode)
  }
  return { ...rest, source: folder }
}

function orBusy(error: unknown): undefined {
  if (error instanceof BuilderError && error.code === 'IN_USE') return undefined
  throw error
}

function noSource(text: string): BuilderError {
  const hint = 'add src=/path, or from=IMAGE'
  return new BuilderError('USAGE', { operation: 'run --mount', object: text, reason: 'a bind needs a source', hint })
}
