import type { Digest } from '../image/digest.js'
import { isWhiteout, type TreeEntry, walk } from '../layer/walk.js'
import { layerDiff } from './layers.js'
import type { Store } from './store.js'

/** What lies in an unpacked layer. */
export interface LayerFiles {
  /** Files of all kinds, directories not counted; a file with several names counts once. */
  readonly count: number
  /** Files that it takes away from the layers below. */
  readonly removed: number
  /** The biggest first. `name` has no slash in front; bytes that are no UTF-8 are replaced. */
  readonly biggest: readonly { readonly name: string; readonly size: number }[]
}

/** Looks through a layer of the store for its biggest files, at most `most`. Throws system errors. */
export function layerFiles(store: Store, diffID: Digest, most: number): LayerFiles {
  const seen = new Set<bigint>()
  const biggest: TreeEntry[] = []
  let [count, removed] = [0, 0]
  for (const entry of walk(layerDiff(store, diffID))) {
    if (entry.kind === 'directory') continue
    if (isWhiteout(entry)) {
      removed++
      continue
    }
    if (entry.links > 1 && seen.has(entry.inode)) continue
    if (entry.links > 1) seen.add(entry.inode)
    count++
    if (entry.kind !== 'file' || entry.size <= (biggest[most - 1]?.size ?? 0)) continue
    biggest.push(entry)
    // Few are ever bigger than all before: sorting them is cheap.
    biggest.sort((a, b) => b.size - a.size).splice(most)
  }
  const named = biggest.map(({ name, size }) => ({ name: Buffer.from(name, 'latin1').toString(), size }))
  return { count, removed, biggest: named }
}
