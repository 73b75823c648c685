import { readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { renderTemplate } from '../image/go-template.js'
import { findHolder } from '../namespace/holder.js'
import { currentIdMap, type IdRange } from '../namespace/idmap.js'
import { isInUserNamespace } from '../namespace/inside.js'
import { overlayDriver } from '../namespace/overlay.js'
import { chooseIsolation } from '../runtime/isolation.js'
import { findProgram } from '../runtime/programs.js'
import { listContainers } from '../store/containers.js'
import { listImages } from '../store/images.js'
import { openStore, type Store } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { version } from './version.js'

/** Options of {@link info}. */
export interface InfoOptions extends GlobalOptions {
  /**
   * Print only what a Go template says, as {{.store.GraphDriverName}}.
   * @short f
   * @placeholder TEMPLATE
   */
  format?: string
}

/** What this machine and this store are; the names of buildah's fields where it has them. */
export interface InfoResult {
  readonly host: Readonly<Record<string, unknown>>
  readonly store: Readonly<Record<string, unknown>>
  readonly version: Readonly<Record<string, unknown>>
}

/**
 * Shows what this machine can do, and where the store is.
 *
 * Which overlay is used (the kernel's, fuse-overlayfs, or copies), which isolation, which id map, which helpers are there.
 *
 * @verb
 * @where inside
 * @offline
 * @stdout JSON, or what --format says.
 * @example
 * ```sh
 * builder info --format '{{.store.GraphDriverName}}'
 * ```
 * @example
 * ```ts
 * import { info } from 'builder-sdk'
 * console.log((await info()).host.isolation)
 * ```
 */
export async function info(options: InfoOptions = {}): Promise<InfoResult> {
  const store = await openStore(options)
  return { host: host(store), store: await storage(store), version: { ...(await version()) } }
}

/** What the shell door prints. */
export function present(result: InfoResult, options: InfoOptions): string {
  if (options.format !== undefined) return renderTemplate(options.format, result)
  return JSON.stringify(result, null, 4)
}

function host(_store: Store): Readonly<Record<string, unknown>> {
  const { uids, gids } = currentIdMap()
  const isolation = chooseIsolation()
  return {
    rootless: isInUserNamespace(),
    isolation: isolation.isolation,
    runtime: isolation.isolation === 'oci' ? isolation.runtime : 'built in (unshare and chroot)',
    idMap: { uids: uids.map(shown), gids: gids.map(shown) },
    holder: findHolder()?.pid ?? null,
    programs: Object.fromEntries(programs.map((name) => [name, findProgram(name) ?? null])),
    cgroups: cgroupVersion(),
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    cpus: availableParallelism(),
    MemTotal: totalmem(),
  }
}

const programs = [
  'newuidmap',
  'newgidmap',
  'crun',
  'runc',
  'fuse-overlayfs',
  'pasta',
  'slirp4netns',
  'nsenter',
  'unshare',
]

async function storage(store: Store): Promise<Readonly<Record<string, unknown>>> {
  const { bavail, bsize } = statfsSync(store.root)
  return {
    GraphRoot: store.root,
    RunRoot: store.runroot,
    GraphDriverName: await overlayDriver(store.driver, join(store.root, 'tmp')),
    ContainerStore: { number: (await listContainers(store)).length },
    ImageStore: { number: (await listImages(store)).length },
    free: bavail * bsize,
  }
}

function shown({ inside, outside, size }: IdRange): string {
  return `${inside} ${outside} ${size}`
}

/** Source: cgroups(7): the type of the file system at /sys/fs/cgroup tells. */
function cgroupVersion(): string {
  try {
    if (statfsSync('/sys/fs/cgroup').type === 0x63677270) return 'v2'
    return statfsSync('/sys/fs/cgroup/unified').type === 0x63677270 ? 'hybrid' : 'v1'
  } catch {
    return 'v1 or none'
  }
}
