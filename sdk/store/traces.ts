import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { listXattrs, setMtime } from '../namespace/libc.js'
import type { Mountpoint } from './container-record.js'

/**
 * Removes from an upper directory those folders that a run only touched: empty there, and the same in mode, owner and time
 * as the folder below, which shows through again. `paths` are from the container's root.
 */
export function dropUntouched(upper: string, lowers: readonly string[], paths: readonly string[]): void {
  const deepestFirst = [...new Set(paths)].filter((path) => path !== '/').sort((a, b) => b.length - a.length)
  for (const path of deepestFirst) {
    const at = join(upper, path)
    const here = lstatSync(at, { bigint: true, throwIfNoEntry: false })
    if (!here?.isDirectory() || readdirSync(at).length > 0 || isOpaque(at)) continue
    const below = lowers
      .map((lower) => lstatSync(join(lower, path), { bigint: true, throwIfNoEntry: false }))
      .find(Boolean)
    const same =
      below?.isDirectory() && (['mode', 'uid', 'gid', 'mtimeNs'] as const).every((key) => here[key] === below[key])
    if (same) removeKeepingTime(at)
  }
}

function removeKeepingTime(path: string): void {
  const parent = dirname(path)
  const { mtimeNs } = lstatSync(parent, { bigint: true })
  rmdirSync(path)
  setMtime(parent, mtimeNs)
}

function isOpaque(path: string): boolean {
  return listXattrs(path).some((name) => name.endsWith('.overlay.opaque'))
}

/** Removes mount points from a copy of an upper directory, where they are still empty. */
export function dropMountpoints(upper: string, mountpoints: readonly Pick<Mountpoint, 'path' | 'kind'>[]): void {
  for (const { path, kind } of [...mountpoints].reverse()) {
    const at = join(upper, path)
    const here = lstatSync(at, { throwIfNoEntry: false })
    if (kind === 'file' && here?.isFile() && here.size === 0) unlinkSync(at)
    if (kind === 'dir' && here?.isDirectory() && readdirSync(at).length === 0) rmdirSync(at)
  }
}
