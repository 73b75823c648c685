import { readdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BuilderError } from '../errors.js'
import { useUnifiedCgroup } from '../namespace/cgroup.js'
import { removeMountpoints } from '../runtime/mountpoints.js'
import { finishRun, type PreparedRun, prepareRun, type RunRequest } from '../runtime/run.js'
import type { ContainerRecord } from '../store/container-record.js'
import { findContainer, updateContainer } from '../store/containers.js'
import { lockMounts, type MountedRoot, useRoot, usesOf } from '../store/mounts.js'
import { openStore, type Store } from '../store/store.js'
import { noteHistory } from './placing.js'
import type { RunOptions } from './run.js'
import { mountsOf } from './run-mounts.js'

/** A command that is ready to be executed by whoever called; then {@link endRun} must be called with its token. */
export interface BegunRun {
  readonly token: string
  /** Words to execute inside the namespace. */
  readonly argv: readonly string[]
  /** The environment for them. */
  readonly env: Readonly<Record<string, string>>
  /** The command as the user gave it. */
  readonly command: readonly string[]
}

/**
 * Mounts the container and writes the bundle, so that the caller can execute the command as its own child.
 * Throws what `run` throws.
 */
export async function beginRun(container: string, command: readonly string[], options: RunOptions): Promise<BegunRun> {
  const store = await openStore(options)
  const record = await findContainer(store, container, 'run')
  const args = command.length > 0 ? command : ownCommand(record)
  const root = await useRoot(store, record.id, options.signal)
  try {
    const folder = join(store.runroot, 'runs', `${process.pid}-${++serial}`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    useUnifiedCgroup()
    const prepared = await prepareRun(await requestOf(store, record, args, root.path, folder, options))
    await noteTraces(store, record.id, prepared)
    running.set(folder, { store, record, root, prepared, options, args })
    return { token: folder, argv: prepared.argv, env: prepared.env, command: args }
  } catch (error) {
    await root[Symbol.asyncDispose]()
    throw error
  }
}

/** Tidies up after a command: mount points, the bundle, the mount. Safe to call for one that never began. */
export async function endRun(token: string): Promise<void> {
  const run = running.get(token)
  if (!run) return
  running.delete(token)
  const { store, record, root, prepared, options, args } = run
  try {
    await finishRun(prepared)
    await removeTraces(store, record.id, root.path)
    if (options.addHistory) await noteHistory(store, record, args.join(' '))
  } finally {
    await root[Symbol.asyncDispose]()
    await rm(token, { recursive: true, force: true })
  }
}

interface Running {
  readonly store: Store
  readonly record: ContainerRecord
  readonly root: MountedRoot
  readonly prepared: PreparedRun
  readonly options: RunOptions
  readonly args: readonly string[]
}

const running = new Map<string, Running>()
let serial = 0

function ownCommand({ name, config }: ContainerRecord): readonly string[] {
  const { Entrypoint = [], Cmd = [] } = config.config ?? {}
  const command = [...Entrypoint, ...Cmd]
  if (command.length > 0) return command
  const hint = 'write builder run CONTAINER -- COMMAND'
  throw new BuilderError('USAGE', { operation: 'run', object: name, reason: 'no command is given and it has none', hint })
}
