import { chmodSync, chownSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../image/digest.js'
import { idError, isMapped } from '../namespace/idmap.js'
import { type LayerRoot, readLayer } from './layers.js'
import type { Store } from './store.js'

/** A container's upper directory, where its changes are. */
export function upperDiff(folder: string): string {
  return join(folder, 'upper/diff')
}

/**
 * Makes an empty upper directory over some layers, or completes one that a killed process left unfinished. The root
 * of an overlay mount is the upper directory itself, so it gets mode and owner of the topmost layer that has a root
 * entry. Throws `ID_MAP` and system errors.
 */
export async function makeUpper(store: Store, folder: string, layers: readonly Digest[]): Promise<void> {
  const diff = upperDiff(folder)
  mkdirSync(diff, { recursive: true })
  const { mode, uid, gid } = await rootOf(store, layers)
  const found = statSync(diff)
  if (found.uid !== uid || found.gid !== gid) own(diff, uid, gid)
  if ((found.mode & 0o7777) !== mode) chmodSync(diff, mode)
}

/** Drops the note of an adoption that was never begun. */
export function forgetAdoption(folder: string): void {
  rmSync(join(folder, 'upper/layer.json'), { force: true })
}

/**
 * Mode and owner of a directory that is to be a layer above others, when they are not what those give to the root: then
 * the layer needs a root entry, and says them in its record. Throws `NOT_FOUND`, `INVALID`, system errors.
 */
export async function ownRoot(store: Store, diff: string, below: readonly Digest[]): Promise<LayerRoot | undefined> {
  const found = statSync(diff)
  const own = { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid }
  const given = await rootOf(store, below)
  return own.mode === given.mode && own.uid === given.uid && own.gid === given.gid ? undefined : own
}

function own(path: string, uid: number, gid: number): void {
  if (!isMapped('uid', uid) || !isMapped('gid', gid)) throw idError('make container', path, uid, gid)
  chownSync(path, uid, gid)
}

async function rootOf(store: Store, layers: readonly Digest[]): Promise<LayerRoot> {
  for (const diffID of layers.toReversed()) {
    const { root } = await readLayer(store, diffID)
    if (root) return root
  }
  return { mode: 0o755, uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
}
