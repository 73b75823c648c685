import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { BuilderError, fromWire, type WireError } from '../../errors.js'
import { removeContainer } from '../../store/containers.js'
import { openStore, type Store } from '../../store/store.js'
import { ownLauncher } from '../runlabel/own-launcher.js'
import { type ImageContainer, makeImageContainer } from './begin.js'
import { outputOf, writeDetached } from './detached.js'
import type { RunImageOptions } from './options.js'
import { environmentOf } from './settings.js'

/**
 * Starts an image's command in a session of its own and returns the container's ID once it runs. One process of builder stays beside it:
 * its parent, which keeps its output and tidies up. Throws what the start throws; then nothing is left.
 */
export async function startDetached(
  image: string,
  command: readonly string[],
  asked: RunImageOptions,
): Promise<string> {
  if (asked.tty) throw noTerminal()
  const store = await openStore(asked)
  const goes = asked.rm ?? false
  const { record, args, options } = await makeImageContainer(store, image, command, asked, true)
  try {
    writeDetached(store, record.id, { args, options: lasting(options), goes, stopTimeout: 10 })
    await started(launch(store, record))
    return record.id
  } catch (error) {
    await removeContainer(store, record)
    throw error
  }
}

/** What means something in another folder, with other variables. */
function lasting(options: RunImageOptions): RunImageOptions {
  const { signal: _, envFile: __, detach: ___, interactive: ____, ...rest } = options
  return { ...rest, env: Object.entries(environmentOf(options)).map(([name, value]) => `${name}=${value}`) }
}

function launch(store: Store, { id }: ImageContainer['record']): ChildProcess {
  const log = openSync(outputOf(store, id), 'a', 0o600)
  try {
    const { root, runroot, driver } = store
    const [program = '', ...places] = ownLauncher({ root, runroot, ...(driver ? { storageDriver: driver } : {}) })
    return spawn(program, [...places, 'run-detached', id], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
      env: { ...process.env, BUILDER_SESSION: undefined, BUILDER_ENGINE: undefined, BUILDER_HOLDER_LOCK: undefined },
    })
  } finally {
    closeSync(log)
  }
}

/** Reads from the process what became of the start, then lets it go. */
async function started(child: ChildProcess): Promise<void> {
  const report = child.stdio[3] as Readable
  let text = ''
  report.setEncoding('utf8')
  for await (const chunk of report) text += chunk
  child.unref()
  const said = parsed(text)
  if (said === 'started') return
  if (said) throw fromWire(said)
  throw new BuilderError('SYSTEM', {
    operation: 'run-image --detach',
    object: `process ${child.pid}`,
    reason: 'it ended before the command had begun',
    hint: 'run it without --detach to see why',
  })
}

function parsed(text: string): 'started' | WireError | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function noTerminal(): BuilderError {
  return new BuilderError('UNSUPPORTED', {
    operation: 'run-image --detach',
    object: '--tty',
    reason: 'nobody could attach to the terminal later',
    hint: 'leave out --tty, or --detach',
  })
}
