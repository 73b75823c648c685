import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { BuilderError, toWire } from '../errors.js'
import { bootID, startTimeOf } from '../namespace/process.js'
import { findContainer, updateContainer } from '../store/containers.js'
import { self } from '../store/owner.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { beginInContainer } from './image-run/begin.js'
import { type Detached, readDetached, writeDetached } from './image-run/detached.js'
import { endRun } from './run/begin.js'

/**
 * Runs what `run-image --detach` has prepared, and tidies up after it. Not for users: descriptor 3 is who started it, and is told
 * `"started"` or an error as JSON.
 *
 * @verb
 * @hidden
 * @where inside
 * @param container - The container's ID.
 */
export async function runDetached(container: string, options: GlobalOptions = {}): Promise<{ exitCode: number }> {
  const store = await openStore(options)
  const { id } = await findContainer(store, container, 'run-detached')
  const noted = readDetached(store, id)
  if (!noted) throw unprepared(container)
  const detached = {
    ...noted,
    process: { pid: process.pid, startTime: startTimeOf(process.pid) ?? '', bootID: bootID() },
  }
  const begun = await reporting(async () => {
    writeDetached(store, id, detached)
    const record = await updateContainer(store, id, ({ owner: _, ...rest }) =>
      detached.goes ? { ...rest, owner: self() } : rest,
    )
    return beginInContainer(
      store,
      { record, args: detached.args, options: { ...detached.options, ...options } },
      detached.goes,
      true,
    )
  })
  try {
    const [program = '', ...words] = begun.argv
    const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...begun.env } })
    report('started')
    const stop = () => stopped(child, readDetached(store, id) ?? detached)
    options.signal?.addEventListener('abort', stop, { once: true })
    if (options.signal?.aborted) stop()
    const exitCode = await ended(child)
    if (!detached.goes) writeDetached(store, id, { ...(readDetached(store, id) ?? detached), exitCode })
    return { exitCode }
  } finally {
    await endRun(begun.token)
  }
}

/** The command prints for itself. */
export function present(): string {
  return ''
}

async function reporting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    report(toWire(error))
    throw error
  }
}

function report(what: unknown): void {
  try {
    writeSync(3, JSON.stringify(what))
    closeSync(3)
  } catch {
    // Who started it is gone: it runs all the same.
  }
}

/** Asks it to end, and ends it when it has not after its time. Source: podman-stop(1). */
function stopped(child: ChildProcess, { stopTimeout }: Detached): void {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeout * 1000)
  child.once('exit', () => clearTimeout(timer))
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(125))
    child.once('exit', (code, by) => resolve(code ?? 128 + (by ? constants.signals[by] : 0)))
  })
}

function unprepared(object: string): BuilderError {
  const hint = 'use builder run-image --detach'
  return new BuilderError('USAGE', { operation: 'run-detached', object, reason: 'nothing is prepared for it', hint })
}
