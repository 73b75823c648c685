import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuilderError } from '../../errors.js'
import { caller } from '../../namespace/caller.js'
import type { BindMount } from '../../runtime/mount-request.js'
import { hostEnvironment } from '../../runtime/programs.js'
import { redactText } from '../../runtime/redact.js'
import { endWithFirst, finishRun, type PreparedRun, prepareRun } from '../../runtime/run.js'
import type { ContainerRecord } from '../../store/container-record.js'
import { findContainer } from '../../store/containers.js'
import { type MountedRoot, useRoot, usesOf } from '../../store/mounts.js'
import { openStore, type Store } from '../../store/store.js'
import { type ImageRun, imageMounts } from '../image-run/image-run.js'
import { noteHistory } from '../placing.js'
import type { BegunRun } from './begun.js'
import type { StepRunOptions } from './inputs.js'
import type { RootOf } from './mount-setting.js'
import { forgetMountpoints, leaveMountpoints, noteMountpoints } from './mountpoints.js'
import { mountsOf } from './mounts.js'
import type { RunOptions } from './options.js'
import { otherRoot } from './other-root.js'
import { noteRun, reapRuns, runFolder } from './reap.js'
import { settingsOf } from './settings.js'
import { beginRunStep, type RunStep } from './step.js'

/**
 * Mounts the container and writes the bundle, so that the caller can execute the command as its own child.
 * Throws what `run` throws.
 *
 * @param given - What only a build gives.
 */
export async function beginRun(
  container: string,
  command: readonly string[],
  options: StepRunOptions,
  given: RunGiven = {},
): Promise<BegunRun> {
  const store = await openStore(options)
  const record = await findContainer(store, container, 'run')
  const args = command.length > 0 ? command : ownCommand(record)
  const request = settingsOf(record, options)
  await reapRuns(store)
  const step = await beginRunStep(store, record, args, options)
  if (step?.output) return replayOf(step, step.output, args)
  const held: AsyncDisposable[] = []
  const folder = runFolder(store)
  try {
    const root = await useRoot(store, record.id, options.signal, given.inBackground)
    held.push(root)
    const rootOf: RootOf = given.rootOf ?? ((name, signal) => otherRoot(store, name, 'run --mount', signal))
    const mounts = await mountsOf({ store, record, options, folder, rootOf })
    held.push(...mounts.held)
    const cache = join(store.root, 'cache/seccomp')
    mkdirSync(cache, { recursive: true, mode: 0o700 })
    const prepared = await prepareRun({
      ...request,
      ...given.image?.request,
      ...(mounts.memory === undefined ? { folder } : { folder: mounts.memory, inMemory: true }),
      env: { ...mounts.env, ...request.env },
      secretEnv: mounts.secretEnv,
      mounts: [
        ...mounts.mounts,
        ...(given.files ?? []).map((file, i) => fileMount(folder, i, file)),
        ...(given.image ? imageMounts(root.path, given.image) : []),
      ],
      rootfs: root.path,
      cache,
      args,
      onMountpoints: (missing) => noteMountpoints(store, record.id, missing),
    })
    noteRun(folder, prepared, caller().process)
    const watch = endWithFirst(prepared)
    held.push({ [Symbol.asyncDispose]: async () => watch[Symbol.dispose]() })
    running.set(folder, {
      store,
      record,
      root,
      held,
      prepared,
      options,
      args,
      step,
      secrets: mounts.secrets,
      ...(given.atEnd ? { atEnd: given.atEnd } : {}),
    })
    const secrets = mounts.secrets.map((value) => Buffer.from(value).toString('base64'))
    const argv = step ? step.capturing(prepared.argv) : prepared.argv
    return { token: folder, argv, env: prepared.env, command: args, ...(secrets[0] ? { secrets } : {}) }
  } catch (error) {
    const [root] = held
    if (root && usesOf(store, record.id) < 2) await forgetMountpoints(store, record.id, (root as MountedRoot).path)
    await letGo(held)
    rmSync(folder, { recursive: true, force: true })
    await step?.end('failed')
    throw error
  }
}

/** What a run of a build has beside its options. */
export interface RunGiven {
  /** Finds what `from=` of a mount names. Default: a container, or an image of the store. */
  readonly rootOf?: RootOf
  /** Programs that the command finds under these paths. */
  readonly files?: readonly { readonly path: string; readonly content: string }[]
  /** What the run of an image has beside. */
  readonly image?: ImageRun
  /** Nobody waits for its end. */
  readonly inBackground?: boolean
  /** Carried out when everything else of the run is tidied up. */
  readonly atEnd?: () => Promise<void>
}

function fileMount(folder: string, i: number, { path, content }: { path: string; content: string }): BindMount {
  const source = join(folder, `file-${i}`)
  writeFileSync(source, content)
  // Whatever the caller's umask: the command's user executes it.
  chmodSync(source, 0o755)
  return { type: 'bind', source, destination: path, readonly: true, recursive: false }
}

/** A run that is not executed: what it printed is printed again. */
function replayOf(step: RunStep, output: NonNullable<RunStep['output']>, command: readonly string[]): BegunRun {
  const token = `replay-${++replays}`
  replaying.set(token, step)
  return { token, argv: step.replay ?? [], env: hostEnvironment(), command, output }
}

let replays = 0
const replaying = new Map<string, RunStep>()

/** Tidies up after a command: what is left of it, mount points, the bundle, the mount. Knows a token once only. */
export async function endRun(token: string): Promise<void> {
  await replaying.get(token)?.end('ended')
  replaying.delete(token)
  const run = running.get(token)
  if (!run) return
  running.delete(token)
  const { store, record, root, prepared, options, args, secrets } = run
  try {
    await finishRun(prepared, { keepMountpoints: true })
    if (usesOf(store, record.id) < 2) await forgetMountpoints(store, record.id, root.path, prepared.mountpoints)
    else await leaveMountpoints(store, record.id, prepared.mountpoints)
    if (options.addHistory) await noteHistory(store, record, redactText(args.join(' '), secrets))
  } finally {
    await letGo(run.held)
    rmSync(token, { recursive: true, force: true })
    await run.step?.end('ended', (text) => redactText(text, secrets))
    await run.atEnd?.()
  }
}

/** Ends every run that this process began: who asked for them is gone. */
export async function endAllRuns(): Promise<void> {
  await Promise.all([...running.keys(), ...replaying.keys()].map(endRun))
}

interface Running {
  readonly store: Store
  readonly record: ContainerRecord
  readonly root: MountedRoot
  readonly held: AsyncDisposable[]
  readonly prepared: PreparedRun
  readonly options: RunOptions
  readonly args: readonly string[]
  readonly step: RunStep | undefined
  readonly secrets: readonly Uint8Array[]
  readonly atEnd?: () => Promise<void>
}

const running = new Map<string, Running>()

async function letGo(held: readonly AsyncDisposable[]): Promise<void> {
  for (const one of [...held].reverse()) await one[Symbol.asyncDispose]()
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
