import { posix } from 'node:path'
import { Transplant } from '../layer/transplant.js'
import { resolveUser } from '../runtime/user.js'
import { type ContainerRecord, findContainer, updateContainer } from '../store/containers.js'
import { useRoot } from '../store/mounts.js'
import { openStore, type Store } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { beginStep, type StepDone } from './step/step.js'

/** Options of {@link workdir}. */
export interface WorkdirOptions extends GlobalOptions {}

/**
 * Makes a folder and has later commands start in it, as WORKDIR of a Containerfile does.
 *
 * A relative path starts from the working folder before it. Folders that are missing are made; the last one belongs to the
 * container's user.
 *
 * Throws `NOT_FOUND` for an unknown container or user, `SYSTEM`.
 *
 * @verb
 * @where inside
 * @offline
 * @param container - Name or ID of a container.
 * @param path - The folder.
 * @example
 * ```sh
 * builder workdir "$c" /srv/app
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.workdir('/srv/app')
 * ```
 */
export async function workdir(container: string, path: string, options: WorkdirOptions = {}): Promise<void> {
  const store = await openStore(options)
  const record = await findContainer(store, container, 'workdir')
  const { User = '', WorkingDir = '/' } = record.config.config ?? {}
  const full = posix.resolve('/', WorkingDir, path)
  const said = `/bin/sh -c #(nop) WORKDIR ${full}`
  const wish = {
    verb: 'workdir' as const,
    said: `workdir ${full}`,
    inputs: [async () => ({ path: full, user: User })],
    createdBy: () => said,
    told: said,
  }
  const step = await beginStep(store, record, wish, options.signal)
  if (!step?.hit) {
    let done: StepDone = { state: 'failed' }
    try {
      await makeFolder(store, record, full, options.signal)
      done = { state: 'done' }
    } finally {
      await step?.end(done)
    }
  }
  await updateContainer(store, record.id, (now) => ({
    ...now,
    config: { ...now.config, config: { ...now.config.config, WorkingDir: full } },
  }))
}

async function makeFolder(store: Store, { id, config }: ContainerRecord, path: string, signal?: AbortSignal) {
  await using root = await useRoot(store, id, signal)
  const transplant = new Transplant(root.path, { owner: resolveUser(root.path, config.config?.User) })
  transplant.directory(path)
  transplant.finish()
}
