import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../image/digest.js'
import { mountOverlay, unmountOverlay } from '../namespace/overlay.js'
import { lowersOf, type MountedRoot } from './mounts.js'
import type { Store } from './store.js'
import { temporaryFolder } from './temporary.js'

/**
 * Mounts the files that layers make (diffIDs from the base up), for as long as it is held. What is written there is lost. Run it
 * inside the namespace. Throws `SYSTEM`.
 */
export async function useImageRoot(store: Store, layers: readonly Digest[]): Promise<MountedRoot> {
  const dir = temporaryFolder(store)
  try {
    for (const part of ['upper/diff', 'work', 'merged']) await mkdir(join(dir, part), { recursive: true })
    await mountOverlay({ dir, lowers: lowersOf(store, layers), driver: store.driver })
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
  const end = async () => {
    await unmountOverlay(dir)
    await rm(dir, { recursive: true, force: true })
  }
  return { path: join(dir, 'merged'), [Symbol.asyncDispose]: end }
}
