import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { removeTree } from './remove-tree.js'
import type { Store } from './store.js'

/**
 * Empties the caches of dnf and apt of what was not used since a time (milliseconds since 1970), and gives the bytes that it had.
 * Nothing goes while something is under way in the store, which may be reading them. Call it when `tmp/` was emptied. Throws `SYSTEM`.
 */
export async function dropPackages(store: Store, before: number): Promise<number> {
  if (namesIn(join(store.root, 'tmp')).length > 0) return 0
  let bytes = 0
  for (const part of caches) {
    const folder = join(store.root, 'cache', part)
    for (const name of namesIn(folder)) {
      const path = join(folder, name)
      // Each use links the file anew, or reads it; a link changes its time of change.
      const { ctimeMs, atimeMs } = lstatSync(path)
      if (Math.max(ctimeMs, atimeMs) < before) bytes += await removeTree(store, path)
    }
  }
  return bytes
}

/** Packages by their digest; lists of repositories. */
const caches = ['dnf/packages', 'dnf/metadata', 'apt/archives', 'apt/lists']

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
