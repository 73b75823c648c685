import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { caller } from '../../namespace/caller.js'
import { isAlive, type ProcessIdentity } from '../../namespace/process.js'
import { type ContainerRecord, containerDir } from '../../store/containers.js'
import { type HeldLock, tryLock } from '../../store/locks.js'
import type { Store } from '../../store/store.js'

/**
 * The right to change a container with steps: one verb has it at a time. Waits for a run whose command is over and whose
 * changes are still becoming a layer; undefined while another verb is at work.
 */
export async function stepLock(store: Store, id: string, purpose: string): Promise<HeldLock | undefined> {
  for (;;) {
    const lock = tryLock(store, `step-${id}`, { purpose })
    if (lock) {
      noteRunner(store, id)
      return lock
    }
    if (!isEnding(store, id)) return undefined
    await sleep(1)
  }
}

/**
 * The same for a verb that is no step: while it lasts no step begins. When another verb is at work in the container, that
 * one's result is not kept. Nothing for a container without steps.
 */
export async function besideSteps(
  store: Store,
  { id, steps }: Pick<ContainerRecord, 'id' | 'steps'>,
  purpose: string,
): Promise<Disposable> {
  const lock = steps ? await stepLock(store, id, purpose) : undefined
  if (steps && !lock) taint(store, id)
  return { [Symbol.dispose]: () => lock?.release() }
}

/** Notes that a container with steps is changed by other means than a step. */
export function taint(store: Store, id: string): void {
  writeFileSync(join(containerDir(store, id), 'tainted'), '')
}

/** Its state is known again. */
export function untaint(store: Store, id: string): void {
  rmSync(taintOf(store, id), { force: true })
}

export function taintOf(store: Store, id: string): string {
  return join(containerDir(store, id), 'tainted')
}

/** In a session the command is a process of the script, and tidying up after it is the engine's work. */
function noteRunner(store: Store, id: string): void {
  const { process: runner } = caller()
  if (runner) writeFileSync(runnerOf(store, id), JSON.stringify(runner))
  else rmSync(runnerOf(store, id), { force: true })
}

function isEnding(store: Store, id: string): boolean {
  try {
    return !isAlive(JSON.parse(readFileSync(runnerOf(store, id), 'utf8')) as ProcessIdentity)
  } catch {
    return false
  }
}

function runnerOf(store: Store, id: string): string {
  return join(containerDir(store, id), 'runner')
}
