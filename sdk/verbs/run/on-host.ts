import { existsSync } from 'node:fs'
import { containerDir, findContainer } from '../../store/containers.js'
import { type MountedRoot, useRoot } from '../../store/mounts.js'
import { openStore, type Store } from '../../store/store.js'
import { checkProgram } from '../become-on-host.js'
import type { GlobalOptions } from '../global.js'
import { sessionEnvironment } from '../session-environment.js'
import { besideSteps, taint } from '../step/lock.js'
import type { BegunRun } from './begun.js'

/**
 * Mounts a container for a command of this machine, which gets the path as `BUILDER_MOUNT`. Whoever called executes it, and
 * then calls {@link endOnHost}. What the command does is no step: it makes the state of a container with steps unknown.
 * Throws `NOT_FOUND`, `IN_USE`.
 */
export async function beginOnHost(
  container: string,
  command: readonly string[],
  options: GlobalOptions,
): Promise<BegunRun> {
  checkProgram('exec-host', command)
  const store = await openStore(options)
  const { id, steps } = await findContainer(store, container, 'exec-host')
  const isStepwise = steps !== undefined
  using _ = await besideSteps(store, { id, ...(steps ? { steps } : {}) }, 'exec-host')
  const root = await useRoot(store, id, options.signal)
  if (isStepwise) taint(store, id)
  const token = `on-host-${++serial}`
  held.set(token, { store, id, isStepwise, root })
  const own = Object.entries(sessionEnvironment(options)).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  )
  return { token, argv: command, command, env: { ...Object.fromEntries(own), BUILDER_MOUNT: root.path } }
}

/** Lets the container go after the command. Knows a token once only. */
export async function endOnHost(token: string): Promise<void> {
  const run = held.get(token)
  if (!run) return
  held.delete(token)
  // A commit by the command itself knew only what was there until then.
  if (run.isStepwise && existsSync(containerDir(run.store, run.id))) taint(run.store, run.id)
  await run.root[Symbol.asyncDispose]()
}

interface Held {
  readonly store: Store
  readonly id: string
  readonly isStepwise: boolean
  readonly root: MountedRoot
}

const held = new Map<string, Held>()
let serial = 0
