import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { asBuilderError, BuilderError } from '../errors.js'
import { prepareChroot } from './chroot.js'
import { endRun } from './end.js'
import { chooseIsolation } from './isolation.js'
import { dropMemoryFolder } from './memory-folder.js'
import { type Mountpoint, makeMountpoints, missingMountpoints, removeMountpoints } from './mountpoints.js'
import { privateNetwork } from './network.js'
import { prepareOci } from './oci.js'
import { planRun, targetsOf } from './plan-run.js'
import { hostEnvironment } from './programs.js'
import { checkPropagation, propagationOf } from './propagation.js'
import type { PreparedRun, RunRequest } from './run-request.js'

export { endWithFirst } from './end.js'
export type { PreparedRun, RunRequest } from './run-request.js'

/**
 * Writes what a run needs and says what to execute: the caller becomes the parent of the command, with its terminal,
 * its signals and its audit identity. The exit code of `argv` is the command's, 128 + the signal's number when one
 * ended it. SIGTERM to it is the command's own to obey, as process 1 (oci), or is not passed on (chroot): to stop a run,
 * call {@link finishRun}, which kills all of it, and `argv` ends.
 *
 * Throws `RunError` with exit code 127 or 126 for a command that is not there or not executable, `NOT_FOUND` for an
 * unknown user or a missing source, `UNSUPPORTED` for what the isolation cannot do, `USAGE` for unknown capabilities.
 */
export async function prepareRun(request: RunRequest): Promise<PreparedRun> {
  const { rootfs, folder } = request
  const chosen = chooseIsolation(request.isolation, request.runtime)
  makeFolder(folder)
  let mountpoints: Mountpoint[] = []
  try {
    checkPropagation(request)
    const propagation = propagationOf(request.mounts) === 'slave' ? 'slave' : 'private'
    const outside = request.network === 'private' ? privateNetwork({ folder, propagation }) : undefined
    const plan = planRun(request, `builder-${randomBytes(6).toString('hex')}`, outside?.nameserver)
    const targets = targetsOf(plan.mounts)
    await request.onMountpoints?.(missingMountpoints(rootfs, targets))
    mountpoints = makeMountpoints(rootfs, targets)
    const start = chosen.isolation === 'oci' ? prepareOci(plan, chosen.runtime) : prepareChroot(plan)
    const argv = [...(outside?.argv ?? []), ...start.argv]
    const inMemory = request.inMemory ? { inMemory: true } : {}
    const shared = request.shares?.includes('pid') ? { sharesProcesses: true } : {}
    return { id: plan.id, ...start, argv, env: hostEnvironment(), folder, rootfs, mountpoints, ...inMemory, ...shared }
  } catch (error) {
    removeMountpoints(rootfs, mountpoints)
    removeFolder(folder, request.inMemory)
    throw asBuilderError(error, 'run', request.args[0] ?? '')
  }
}

/**
 * Ends a run: kills what is left of it, removes its mount points, and its folder. For a run that ended by itself as for
 * one whose caller was killed; may be called again.
 *
 * @param options - `keepMountpoints` while another run of the same container still uses them.
 */
export async function finishRun(
  prepared: PreparedRun,
  options: { readonly keepMountpoints?: boolean } = {},
): Promise<void> {
  endRun(prepared)
  if (!options.keepMountpoints) removeMountpoints(prepared.rootfs, prepared.mountpoints)
  removeFolder(prepared.folder, prepared.inMemory)
}

function removeFolder(folder: string, inMemory = false): void {
  if (inMemory) dropMemoryFolder(folder)
  rmSync(folder, { recursive: true, force: true })
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw asBuilderError(cause, 'run', folder)
  }
  if (!folder.startsWith('/'))
    throw new BuilderError('USAGE', { operation: 'run', object: folder, reason: 'the folder is not an absolute path' })
}
