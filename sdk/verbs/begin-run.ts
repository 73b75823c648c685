import { mkdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { BuilderError } from '../errors.js'
import { parseEnv } from '../runtime/environment.js'
import { type Mountpoint, removeMountpoints } from '../runtime/mountpoints.js'
import { finishRun, type PreparedRun, prepareRun, type RunRequest } from '../runtime/run.js'
import { parseSecurityOptions } from '../runtime/security-option.js'
import type { ContainerRecord } from '../store/container-record.js'
import { findContainer, updateContainer } from '../store/containers.js'
import { type MountedRoot, useRoot, usesOf } from '../store/mounts.js'
import { openStore, type Store } from '../store/store.js'
import type { BegunRun } from './begun-run.js'
import { noteHistory } from './placing.js'
import { noteRun, reapRuns, runFolder } from './reap.js'
import { mountsOf } from './run-mounts.js'
import type { RunOptions } from './run-options.js'

/**
 * Mounts the container and writes the bundle, so that the caller can execute the command as its own child.
 * Throws what `run` throws.
 */
export async function beginRun(container: string, command: readonly string[], options: RunOptions): Promise<BegunRun> {
  const store = await openStore(options)
  const record = await findContainer(store, container, 'run')
  const args = command.length > 0 ? command : ownCommand(record)
  await reapRuns(store)
  const held: AsyncDisposable[] = []
  let planned: readonly Mountpoint[] = []
  try {
    const root = await useRoot(store, record.id, options.signal)
    held.push(root)
    const mounts = await mountsOf(store, record, options)
    held.push(...mounts.held)
    const folder = runFolder(store)
    const cache = join(store.root, 'cache/seccomp')
    mkdirSync(cache, { recursive: true, mode: 0o700 })
    const prepared = await prepareRun({
      ...requestOf(record, options),
      mounts: mounts.mounts,
      rootfs: root.path,
      cache,
      folder,
      args,
      beforeMountpoints: (missing) => {
        planned = missing
        return noteMountpoints(store, record.id, planned)
      },
    })
    noteRun(folder, prepared)
    await noteMountpoints(store, record.id, prepared.mountpoints, planned)
    running.set(folder, { store, record, root, held, prepared, options, args })
    return { token: folder, argv: prepared.argv, env: prepared.env, command: args }
  } catch (error) {
    await noteMountpoints(store, record.id, [], planned)
    await letGo(held)
    throw error
  }
}

/** Tidies up after a command: what is left of it, mount points, the bundle, the mount. Knows a token once only. */
export async function endRun(token: string): Promise<void> {
  const run = running.get(token)
  if (!run) return
  running.delete(token)
  const { store, record, root, prepared, options, args } = run
  try {
    await finishRun(prepared, { keepMountpoints: true })
    if (usesOf(store, record.id) < 2) await forgetMountpoints(store, record.id, root.path)
    if (options.addHistory) await noteHistory(store, record, args.join(' '))
  } finally {
    await letGo(run.held)
  }
}

/**
 * Removes the mount points that runs left in a root. The folders they were in stay noted, for the next commit to leave
 * out what is as it was.
 */
export async function forgetMountpoints(store: Store, id: string, root: string): Promise<void> {
  await updateContainer(store, id, (record) => {
    if (record.mountpoints.length === 0) return record
    removeMountpoints(root, record.mountpoints)
    const touched = new Set([...(record.touched ?? []), ...record.mountpoints.map(({ path }) => posix.dirname(path))])
    return { ...record, mountpoints: [], touched: [...touched] }
  })
}

interface Running {
  readonly store: Store
  readonly record: ContainerRecord
  readonly root: MountedRoot
  readonly held: AsyncDisposable[]
  readonly prepared: PreparedRun
  readonly options: RunOptions
  readonly args: readonly string[]
}

const running = new Map<string, Running>()

async function letGo(held: readonly AsyncDisposable[]): Promise<void> {
  for (const one of [...held].reverse()) await one[Symbol.asyncDispose]()
}

/** Notes mount points, in place of those that were only planned. */
async function noteMountpoints(
  store: Store,
  id: string,
  made: readonly Mountpoint[],
  planned: readonly Mountpoint[] = [],
): Promise<void> {
  if (made.length === 0 && planned.length === 0) return
  const isPlanned = ({ path, parentMtimeMade }: Mountpoint) =>
    parentMtimeMade === undefined && planned.some((one) => one.path === path)
  await updateContainer(store, id, (record) => ({
    ...record,
    mountpoints: [...record.mountpoints.filter((one) => !isPlanned(one)), ...made],
  }))
}

function ownCommand({ name, config }: ContainerRecord): readonly string[] {
  const { Entrypoint = [], Cmd = [] } = config.config ?? {}
  const command = [...Entrypoint, ...Cmd]
  if (command.length > 0) return command
  const hint = 'write builder run CONTAINER -- COMMAND'
  throw new BuilderError('USAGE', {
    operation: 'run',
    object: name,
    reason: 'no command is given and it has none',
    hint,
  })
}

function requestOf(
  record: ContainerRecord,
  options: RunOptions,
): Omit<RunRequest, 'rootfs' | 'folder' | 'args' | 'mounts'> {
  const { defaults, config } = record
  const wanted = options.isolation ?? defaults.isolation ?? process.env.BUILDAH_ISOLATION
  const isolation =
    wanted === undefined || wanted === ''
      ? {}
      : { isolation: wanted === 'chroot' ? ('chroot' as const) : ('oci' as const) }
  return {
    config: config.config ?? {},
    env: parseEnv(options.env ?? []),
    terminal: options.terminal ?? false,
    network: networkOf(options.network ?? defaults.network),
    capAdd: commaLists(defaults.capAdd, options.capAdd),
    capDrop: commaLists(defaults.capDrop, options.capDrop),
    devices: [...(defaults.device ?? []), ...(options.device ?? [])],
    noHosts: options.noHosts ?? false,
    ...isolation,
    ...parseSecurityOptions([...(defaults.securityOpt ?? []), ...(options.securityOpt ?? [])]),
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.workingdir === undefined ? {} : { cwd: options.workingdir }),
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
  }
}

/** buildah takes `--cap-add A,B` as well as the flag twice. */
function commaLists(...lists: (readonly string[] | undefined)[]): string[] {
  return lists.flatMap((list) => list ?? []).flatMap((text) => text.split(',').filter(Boolean))
}

function networkOf(network = 'host'): 'host' | 'none' | 'private' {
  if (network === 'host' || network === 'none' || network === 'private') return network
  const hint = 'write host, none or private'
  throw new BuilderError('USAGE', {
    operation: 'run --network',
    object: network,
    reason: 'there is no such network',
    hint,
  })
}
