import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { scanContainers } from './container-files.js'
import { dropFileDigests } from './file-digests.js'
import { dropKeptSteps, type UsedStep } from './kept-steps.js'
import { hasLayer } from './layers.js'
import { usesOf } from './mounts.js'
import { dropPackages } from './prune-packages.js'
import { removeTree } from './remove-tree.js'
import type { Store } from './store.js'

/** What of the build cache goes. */
export interface CacheLimits {
  /** Milliseconds since 1970: what was used since then stays. Default: nothing does. */
  readonly before?: number
  /** Bytes: layers of steps may stay up to this sum, those used last first. */
  readonly keepBytes?: number
}

/**
 * Forgets kept steps, the digests of files that were read, the folders of cache mounts and the packages of dnf and apt; the layers of the steps are then for the
 * collection of garbage. Without limits only what is of no use any more goes. The caller holds the lock `store` alone and is inside.
 * Throws `SYSTEM`.
 */
export async function pruneCache(
  store: Store,
  limits: CacheLimits | undefined,
): Promise<{ readonly steps: number; readonly bytes: number }> {
  const isWhole = ({ step: { result } }: UsedStep) => !result.layer || hasLayer(store, result.layer.diffID)
  if (!limits) return { steps: dropKeptSteps(store, isWhole), bytes: 0 }
  const { before = Number.POSITIVE_INFINITY, keepBytes } = limits
  const room = { left: keepBytes ?? Number.POSITIVE_INFINITY, layers: new Set<string>() }
  // With a size alone everything may stay that there is room for.
  const isYoung = ({ used }: UsedStep) => used >= before || (limits.before === undefined && keepBytes !== undefined)
  const steps = dropKeptSteps(store, (step) => isWhole(step) && isYoung(step) && fits(step, room))
  if (keepBytes !== undefined && limits.before === undefined) return { steps, bytes: 0 }
  const packages = await dropPackages(store, before)
  return { steps, bytes: dropFileDigests(store, before) + (await dropMounts(store, before)) + packages }
}

/** Several steps may have one layer, which counts once. */
function fits({ step: { result } }: UsedStep, room: { left: number; readonly layers: Set<string> }): boolean {
  if (!result.layer || room.layers.has(result.layer.diffID)) return true
  if (result.layer.size > room.left) return false
  room.left -= result.layer.size
  room.layers.add(result.layer.diffID)
  return true
}

/** While a command runs somewhere, it may have a cache mounted. */
async function dropMounts(store: Store, before: number): Promise<number> {
  const folder = join(store.root, 'cache/mounts')
  if (scanContainers(store).records.some(({ id }) => usesOf(store, id) > 0)) return 0
  let bytes = 0
  for (const name of namesIn(folder)) {
    const path = join(folder, name)
    if ((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < before) bytes += await removeTree(store, path)
  }
  return bytes
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
