import { type Dirent, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setMtime } from '../namespace/libc.js'
import { childOf } from '../namespace/overlay-marks.js'
import { resolveInRoot } from '../namespace/rooted-path.js'

/**
 * Takes away what a package manager's programs leave in a root and no two runs leave alike. `made` are folders that were not
 * there before and go when they are empty, the deepest first.
 */
export function dropLeftovers(root: string, made: readonly string[] = []): void {
  for (const path of leftovers) rmSync(resolveInRoot(root, path, { followLast: false }), { force: true })
  for (const path of made) removeIfEmpty(resolveInRoot(root, path, { followLast: false }))
}

const leftovers = [
  '/var/cache/ldconfig/aux-cache',
  '/etc/.pwd.lock',
  ...['passwd', 'group', 'shadow', 'gshadow', 'subuid', 'subgid'].map((name) => `/etc/${name}-`),
]

/**
 * Gives whatever is younger than `epoch` (seconds since 1970) that time. `written` is the folder that holds what was written
 * of the root, where there is one: only that is looked at.
 */
export function clampTimes(root: string, written: string | undefined, epoch: number): void {
  clamp(Buffer.from(written ?? root), Buffer.from(root), BigInt(epoch) * 1_000_000_000n)
}

function clamp(seen: Buffer, at: Buffer, limit: bigint): void {
  const found = lstatSync(at, { bigint: true, throwIfNoEntry: false })
  if (!found) return
  if (found.isDirectory()) {
    const entries: Dirent<Buffer>[] = readdirSync(seen, { withFileTypes: true, encoding: 'buffer' })
    for (const { name } of entries) clamp(childOf(seen, name), childOf(at, name), limit)
  }
  if (found.mtimeNs > limit) setMtime(at, limit)
}

function removeIfEmpty(folder: string): void {
  const parent = dirname(folder)
  const before = lstatSync(parent, { bigint: true, throwIfNoEntry: false })
  try {
    rmdirSync(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTEMPTY', 'ENOTDIR', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return
    throw error
  }
  if (before) setMtime(join(parent), before.mtimeNs)
}
