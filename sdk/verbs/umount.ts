import { BuilderError } from '../errors.js'
import { endHolder } from '../namespace/holder.js'
import { findContainer, listContainers } from '../store/containers.js'
import { isMounted, unmountForUser } from '../store/mounts.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link umount}. */
export interface UmountOptions extends GlobalOptions {
  /**
   * Unmount all containers.
   * @short a
   */
  all?: boolean
}

/**
 * Unmounts containers' root file systems.
 *
 * Throws `NOT_FOUND` for an unknown container, `INVALID` for one that is not mounted, `IN_USE` when a process still
 * stands in it.
 *
 * @verb
 * @alias unmount
 * @where inside
 * @offline
 * @stdout The ID of each container that was unmounted.
 * @param containers - Names or IDs of containers.
 * @example
 * ```sh
 * builder umount "$c"
 * ```
 * @example
 * ```ts
 * import { from, umount } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.mount()
 * await umount([c.name])
 * ```
 */
export async function umount(
  containers: readonly string[] = [],
  options: UmountOptions = {},
): Promise<readonly string[]> {
  const store = await openStore(options)
  const wanted = options.all ? (await listContainers(store)).filter(isMounted).map(({ id }) => id) : containers
  if (wanted.length === 0 && !options.all) throw nothingNamed()
  const unmounted: string[] = []
  for (const one of wanted) {
    const { id, name } = await findContainer(store, one, 'umount')
    if (!(await unmountForUser(store, id))) throw notMounted(name)
    unmounted.push(id)
  }
  endHolder()
  return unmounted
}

/** What the shell door prints. */
export function present(result: readonly string[]): string {
  return result.join('\n')
}

function nothingNamed(): BuilderError {
  return new BuilderError('USAGE', {
    operation: 'umount',
    object: '',
    reason: 'no container is named',
    hint: 'name one or more containers, or say --all',
  })
}

function notMounted(name: string): BuilderError {
  const hint = 'builder mount lists what is mounted'
  return new BuilderError('INVALID', { operation: 'umount', object: name, reason: 'it is not mounted', hint })
}
