import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BuilderError } from '../../errors.js'
import { Transplant } from '../../layer/transplant.js'
import { idError, isMapped } from '../../namespace/idmap.js'
import { resolveInRoot } from '../../namespace/rooted-path.js'
import type { CacheMount, CacheWish } from '../../runtime/mount-request.js'
import { acquireLock, type HeldLock } from '../../store/locks.js'
import { temporaryFolder } from '../../store/temporary.js'
import type { MountSetting } from './mount-setting.js'

/**
 * A cache is a folder of the store that many runs share, or one at a time (`locked`), or each its own (`private`). `from` and
 * `source` say what a new one holds; another `from` is another cache. Source: Dockerfile reference, "RUN --mount=type=cache".
 */
export async function cacheMount(setting: MountSetting, wish: CacheWish, held: AsyncDisposable[]): Promise<CacheMount> {
  const { id = wish.destination, from, source, sharing, mode: _, uid: __, gid: ___, ...rest } = wish
  const what = from === undefined && source === undefined ? id : JSON.stringify([id, from, source])
  const name = createHash('sha256').update(what).digest('hex').slice(0, 32)
  const number = await claimed(setting, name, id, sharing, held)
  const folder = join(setting.store.root, 'cache/mounts', number === 0 ? name : `${name}-${number}`)
  if (!existsSync(folder)) await makeCache(setting, wish, folder)
  return { ...rest, source: folder }
}

/** The number of a private cache that nobody else has; 0 for all others. */
async function claimed(
  { store, options }: MountSetting,
  name: string,
  id: string,
  sharing: CacheWish['sharing'],
  held: AsyncDisposable[],
): Promise<number> {
  const signal = options.signal ? { signal: options.signal } : {}
  if (sharing === 'locked')
    held.push(await acquireLock(store, `cache-${name}`, { purpose: `run with cache ${id}`, ...signal }))
  if (sharing !== 'private') return 0
  for (let number = 0; ; number++) {
    const lock = await acquireLock(store, `cache-${name}-${number}`, { wait: false }).catch(orBusy)
    if (!lock) continue
    held.push(lock)
    return number
  }
}

/** Seen by others only when it is complete; who comes second takes what is there. */
async function makeCache(setting: MountSetting, wish: CacheWish, folder: string): Promise<void> {
  const { mode = 0o755, uid = 0, gid = 0 } = wish
  if (!isMapped('uid', uid) || !isMapped('gid', gid)) throw idError('run --mount', wish.destination, uid, gid)
  const unfinished = temporaryFolder(setting.store)
  try {
    if (wish.from !== undefined || wish.source !== undefined) await fill(setting, wish, unfinished)
    chownSync(unfinished, uid, gid)
    chmodSync(unfinished, mode)
    mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
    renameSync(unfinished, folder)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

async function fill({ options, rootOf }: MountSetting, wish: CacheWish, folder: string): Promise<void> {
  const { from, source = '/' } = wish
  const { contextdir, signal } = options
  if (from === undefined && contextdir === undefined) throw noFrom(wish)
  await using root = from === undefined ? undefined : await rootOf(from, signal)
  const start = resolveInRoot(root?.path ?? realpathSync(contextdir as string), source)
  if (!existsSync(start)) throw noSource(`${source} of ${from ?? contextdir}`)
  const transplant = new Transplant(folder, signal ? { signal } : {})
  await transplant.contents(start, '/')
  transplant.finish()
}

function orBusy(error: unknown): HeldLock | undefined {
  if (error instanceof BuilderError && error.code === 'IN_USE') return undefined
  throw error
}

function noFrom({ destination }: CacheWish): BuilderError {
  const hint = 'add from=IMAGE, or leave source out: a new cache is empty'
  const reason = 'source is of no use without from'
  return new BuilderError('USAGE', { operation: 'run --mount', object: destination, reason, hint })
}

function noSource(object: string): BuilderError {
  const hint = 'check the path: it is taken from the top there'
  return new BuilderError('NOT_FOUND', { operation: 'mount', object, reason: 'there is no such folder', hint })
}
