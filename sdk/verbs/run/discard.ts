import { type BigIntStats, chmodSync, chownSync, copyFileSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { asBuilderError, BuilderError } from '../../errors.js'
import { isMapped } from '../../namespace/idmap.js'
import { setMtime } from '../../namespace/libc.js'
import { mountOverlay, unmountOverlay } from '../../namespace/overlay.js'
import type { Store } from '../../store/store.js'
import { temporaryFolder } from '../../store/temporary.js'

/** A file or a folder that is like another one, and may be written to without that one's changing. */
export interface DiscardingCopy extends AsyncDisposable {
  readonly path: string
}

/**
 * Gives a folder with an overlay on it, or a copy of a file: what is written goes when it is disposed of. Throws `NOT_FOUND`
 * when the source is not there, `SYSTEM`.
 */
export async function discardingCopy(store: Store, source: string): Promise<DiscardingCopy> {
  const info = statSync(source, { throwIfNoEntry: false, bigint: true })
  if (!info) throw gone(source)
  const dir = temporaryFolder(store)
  try {
    if (!info.isDirectory()) {
      const path = join(dir, basename(source))
      copyFileSync(source, path)
      giveOwner(path, info)
      setMtime(path, info.mtimeNs)
      return { path, [Symbol.asyncDispose]: async () => rmSync(dir, { recursive: true, force: true }) }
    }
    for (const part of ['upper/diff', 'work', 'merged']) mkdirSync(join(dir, part), { recursive: true })
    // The root of an overlay is its upper folder's.
    giveOwner(join(dir, 'upper/diff'), info)
    await layOver(store, dir, source)
    return { path: join(dir, 'merged'), [Symbol.asyncDispose]: () => end(dir) }
  } catch (error) {
    rmSync(dir, { recursive: true, force: true })
    throw asBuilderError(error, 'mount', source)
  }
}

/** An owner that this namespace does not know cannot be given. */
function giveOwner(path: string, { uid, gid, mode }: BigIntStats): void {
  if (isMapped('uid', Number(uid)) && isMapped('gid', Number(gid))) chownSync(path, Number(uid), Number(gid))
  chmodSync(path, Number(mode) & 0o7777)
}

/** The kernel lays no overlay on an overlay on an overlay: then it is copied. */
async function layOver({ driver }: Store, dir: string, source: string): Promise<void> {
  try {
    await mountOverlay({ dir, lowers: [source], driver })
  } catch (error) {
    if (!(error instanceof BuilderError && error.code === 'UNSUPPORTED') || driver !== undefined) throw error
    await mountOverlay({ dir, lowers: [source], driver: 'copy' })
  }
}

async function end(dir: string): Promise<void> {
  await unmountOverlay(dir)
  rmSync(dir, { recursive: true, force: true })
}

function gone(source: string): BuilderError {
  return new BuilderError('NOT_FOUND', {
    operation: 'mount',
    object: source,
    reason: 'there is no such file or directory',
    hint: 'create it first, or check the path',
  })
}
