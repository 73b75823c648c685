import { existsSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { endHolder } from '../namespace/holder.js'
import {
  type ContainerRecord,
  containerDir,
  findContainer,
  listContainers,
  removeContainer,
} from '../store/containers.js'
import { abandonMount, isMounted, unmountForUser, usesOf } from '../store/mounts.js'
import { openStore, type Store } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { stopDetached } from './image-run/stop-detached.js'
import { reapRuns } from './run/reap.js'
import { besideSteps } from './step/lock.js'

/** Options of {@link rm}. */
export interface RmOptions extends GlobalOptions {
  /**
   * Remove all containers.
   * @short a
   */
  all?: boolean
  /**
   * First end the command that `run-image --detach` started in it. A name that is not there is no error, as with podman.
   * @short f
   */
  force?: boolean
}

/**
 * Removes working containers, mounted or not. Images stay.
 *
 * Throws `NOT_FOUND` for an unknown container, `IN_USE` when a command runs in it.
 *
 * @verb
 * @where inside
 * @offline
 * @stdout The ID of each container that was removed.
 * @param containers - Names or IDs of containers.
 * @example
 * ```sh
 * builder rm "$c"
 * ```
 * @example
 * ```ts
 * import { from, rm } from 'builder-sdk'
 * const c = await from('scratch')
 * await rm([c.name])
 * ```
 */
export async function rm(containers: readonly string[] = [], options: RmOptions = {}): Promise<readonly string[]> {
  const store = await openStore(options)
  const wanted = options.all ? (await listContainers(store)).map(({ id }) => id) : containers
  if (wanted.length === 0 && !options.all) throw nothingNamed()
  await reapRuns(store)
  const found = []
  for (const one of wanted) found.push(...(await named(store, one, options)))
  let unmounted = false
  for (const record of found) {
    using _ = await besideSteps(store, record, 'rm')
    if (options.force) await stopDetached(store, record.id, 10)
    if (!existsSync(containerDir(store, record.id))) continue
    if (usesOf(store, record.id) > 0) throw running(record.name)
    if (isMounted(record)) unmounted = await unmountForUser(store, record.id)
    // What a killed verb left mounted is nobody's.
    else await abandonMount(store, record, options.signal)
    await removeContainer(store, record)
  }
  if (unmounted) endHolder()
  return found.map(({ id }) => id)
}

/** What the shell door prints. */
export function present(result: readonly string[]): string {
  return result.join('\n')
}

async function named(store: Store, one: string, { force }: RmOptions): Promise<readonly ContainerRecord[]> {
  try {
    return [await findContainer(store, one, 'rm')]
  } catch (error) {
    if (force && error instanceof BuilderError && error.code === 'NOT_FOUND') return []
    throw error
  }
}

function nothingNamed(): BuilderError {
  const hint = 'name one or more containers, or say --all'
  return new BuilderError('USAGE', { operation: 'rm', object: '', reason: 'no container is named', hint })
}

function running(name: string): BuilderError {
  const hint = 'wait for it to end, or stop it: builder stop'
  return new BuilderError('IN_USE', { operation: 'rm', object: name, reason: 'a command is running in it', hint })
}
