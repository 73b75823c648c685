import { endHolder, findHolder, holderPath, isHolderNamespace } from '../namespace/holder.js'
import { findContainer, listContainers } from '../store/containers.js'
import { isMounted, mountForUser } from '../store/mounts.js'
import { openStore, type Store } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { besideSteps, taint } from './step/lock.js'

/** Options of {@link mount}. */
export interface MountOptions extends GlobalOptions {
  /** Print JSON. */
  json?: boolean
}

/** A mounted container. */
export interface Mounted {
  readonly container: string
  /** A path that this user can read and write, also from outside the namespace. */
  readonly path: string
}

/**
 * Mounts containers' root file systems and prints where.
 *
 * As a plain user it needs no `unshare`: the path leads through `/proc/<pid>/root` of a small process that holds the
 * namespace until the last umount or rm, and files made there belong to the container's root. Without arguments it lists
 * what is mounted.
 *
 * Throws `NOT_FOUND` for an unknown container, `IN_USE` when it is mounted in another session.
 *
 * @verb
 * @where holder
 * @offline
 * @stdout The path; for several containers, or for none, a line for each: its name and the path.
 * @param containers - Names or IDs of containers.
 * @example
 * ```sh
 * m=$(builder mount "$c")
 * cp -r site/. "$m/srv/"
 * builder umount "$c"
 * ```
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * await writeFile(`${await c.mount()}/motd`, 'hello')
 * ```
 */
export async function mount(
  containers: readonly string[] = [],
  options: MountOptions = {},
): Promise<readonly Mounted[]> {
  try {
    const store = await openStore(options)
    return containers.length === 0 ? await listMounted(store) : await mountAll(store, containers, options.signal)
  } finally {
    // The launcher started one for this verb; it stays when something is mounted now.
    endHolder()
  }
}

async function mountAll(store: Store, containers: readonly string[], signal: AbortSignal | undefined) {
  const mounted: Mounted[] = []
  for (const wanted of containers) {
    const { id, name, steps } = await findContainer(store, wanted, 'mount')
    using _ = await besideSteps(store, { id, ...(steps ? { steps } : {}) }, 'mount')
    if (steps) taint(store, id)
    mounted.push({ container: name, path: reachable(await mountForUser(store, id, signal)) })
  }
  return mounted
}

/** What the shell door prints. */
export function present(result: readonly Mounted[], options: MountOptions, containers: readonly string[] = []): string {
  if (options.json) return JSON.stringify(result, null, 2)
  if (containers.length === 1) return result[0]?.path ?? ''
  return result.map(({ container, path }) => `${container} ${path}`).join('\n')
}

async function listMounted(store: Store): Promise<readonly Mounted[]> {
  const mounted = (await listContainers(store)).filter(isMounted)
  return mounted.map((record) => ({ container: record.name, path: reachable(record.mounted?.path ?? '') }))
}

/** Where the namespace is the holder's, only a path through the holder can be read from the caller's shell. */
function reachable(path: string): string {
  const holder = findHolder()
  return holder && isHolderNamespace(holder) ? holderPath(holder, path) : path
}
