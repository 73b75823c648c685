import { existsSync, realpathSync } from 'node:fs'
import { posix, resolve } from 'node:path'
import { BuilderError } from '../../errors.js'
import { resolveInRoot } from '../../namespace/rooted-path.js'
import { parseMount } from '../../runtime/mount-option.js'
import type { BindWish, MountRequest, MountWish } from '../../runtime/mount-request.js'
import { insidePath, parseVolume } from '../../runtime/volume.js'
import { cacheMount } from './cache.js'
import { discardingCopy } from './discard.js'
import type { MountSetting } from './mount-setting.js'
import { RunSecrets } from './secrets.js'

/** The mounts of a run, and what has to be let go after it. */
export interface RunMounts {
  readonly mounts: readonly MountRequest[]
  readonly held: readonly AsyncDisposable[]
  /** Variables that say where mounts are. */
  readonly env: Readonly<Record<string, string>>
  /** Variables that are secrets. */
  readonly secretEnv: Readonly<Record<string, string>>
  /** The secrets of the run, to be taken out of all that it prints. */
  readonly secrets: readonly Uint8Array[]
  /** A folder in memory, when the run has secrets. */
  readonly memory?: string
}

/**
 * Finds the sources of all mounts of a run: volumes of the container and of the command, binds, tmpfs, caches, secrets, ssh
 * agents. Throws what reading them throws; then nothing is held.
 */
export async function mountsOf(setting: MountSetting): Promise<RunMounts> {
  const { record, options } = setting
  const held: AsyncDisposable[] = []
  const mounts: MountRequest[] = [...(record.defaults.volume ?? []), ...(options.volume ?? [])].map((text) =>
    parseVolume(text),
  )
  const secrets = new RunSecrets(setting, held)
  try {
    for (const text of options.mount ?? []) {
      const wish = placedIn(parseMount(text), text, setting)
      if (wish.type === 'secret') mounts.push(...secrets.secret(wish))
      else if (wish.type === 'ssh') mounts.push(...(await secrets.ssh(wish)))
      else if (wish.type === 'tmpfs') mounts.push(wish)
      else if (wish.type === 'cache') mounts.push(await cacheMount(setting, wish, held))
      else mounts.push(await bindMount(setting, wish, text, held))
    }
  } catch (error) {
    for (const one of held.reverse()) await one[Symbol.asyncDispose]()
    throw error
  }
  return { mounts, held, ...secrets.found() }
}

/** A destination that is not absolute counts from the command's working folder. */
function placedIn(wish: MountWish, text: string, { record, options }: MountSetting): MountWish {
  if (wish.destination === undefined) return wish
  const workingdir = options.workingdir ?? record.config.config?.WorkingDir ?? '/'
  return { ...wish, destination: insidePath(text, posix.resolve('/', workingdir, wish.destination)) }
}

async function bindMount(setting: MountSetting, wish: BindWish, text: string, held: AsyncDisposable[]) {
  const { from, source: asked, ...rest } = wish
  const source = await sourceOf(setting, wish, text, held)
  if (rest.readonly !== false) return { ...rest, source }
  // Writes are the run's own and end with it. Source: Dockerfile reference, "RUN --mount=type=bind", rw.
  const copy = await discardingCopy(setting.store, source)
  held.push(copy)
  return { ...rest, source: copy.path }
}

async function sourceOf(setting: MountSetting, wish: BindWish, text: string, held: AsyncDisposable[]) {
  const { from, source } = wish
  const { contextdir, signal } = setting.options
  if (from !== undefined) {
    const root = await setting.rootOf(from, signal)
    held.push(root)
    return found(resolveInRoot(root.path, source ?? '/'), `${source} of ${from}`)
  }
  // With a context folder nothing outside it can be named; it is the source when none is.
  if (contextdir !== undefined)
    return found(resolveInRoot(realpathSync(contextdir), source ?? '/'), `${source} of ${contextdir}`)
  if (source !== undefined) return resolve(source)
  const hint = 'add src=/path, or from=IMAGE'
  throw new BuilderError('USAGE', { operation: 'run --mount', object: text, reason: 'a bind needs a source', hint })
}

function found(path: string, shown: string): string {
  if (existsSync(path)) return path
  const hint = 'check the path: it is taken from the top there'
  throw new BuilderError('NOT_FOUND', { operation: 'mount', object: shown, reason: 'there is no such file', hint })
}
