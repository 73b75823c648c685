import { chmodSync, chownSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../image/digest.js'
import { readLayer } from './layers.js'
import type { Store } from './store.js'

/** A container's upper directory, where its changes are. */
export function upperDiff(folder: string): string {
  return join(folder, 'upper/diff')
}

/**
 * Makes an empty upper directory over some layers, or completes one that a killed process left unfinished. The root
 * of an overlay mount is the upper directory itself, so it gets mode and owner of the topmost layer that has a root
 * entry. Throws system errors.
 */
export async function makeUpper(store: Store, folder: string, layers: readonly Digest[]): Promise<void> {
  const diff = upperDiff(folder)
  mkdirSync(diff, { recursive: true })
  const { mode, uid, gid } = await rootOf(store, layers)
  const found = statSync(diff)
  if (found.uid !== uid || found.gid !== gid) chownSync(diff, uid, gid)
  if ((found.mode & 0o7777) !== mode) chmodSync(diff, mode)
}

/** Drops the note of an adoption that was never begun. */
export function forgetAdoption(folder: string): void {
  rmSync(join(folder, 'upper/layer.json'), { force: true })
}

async function rootOf(store: Store, layers: readonly Digest[]): Promise<{ mode: number; uid: number; gid: number }> {
  for (const diffID of layers.toReversed()) {
    const { root } = await readLayer(store, diffID)
    if (root) return root
  }
  return { mode: 0o755, uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
}
