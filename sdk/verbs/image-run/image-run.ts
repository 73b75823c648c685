import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { resolveInRoot } from '../../namespace/rooted-path.js'
import type { MountRequest } from '../../runtime/mount-request.js'
import { makeDirectory } from '../../runtime/mountpoints.js'
import type { RunRequest } from '../../runtime/run-request.js'

/** What the run of an image has that a run in a working container has not. */
export interface ImageRun {
  readonly request: Partial<RunRequest>
  readonly mounts: readonly MountRequest[]
  /** What the image calls volumes: paths that are there, and can be written to whatever the root can. */
  readonly volumes: readonly string[]
}

/** The mounts of an image's run in its mounted root. */
export function imageMounts(root: string, { request, mounts, volumes }: ImageRun): readonly MountRequest[] {
  const wanted = volumes.filter((path) => !mounts.some(({ destination }) => destination === posix.resolve('/', path)))
  const own = wanted.flatMap((path) => volumeIn(root, path, request.readonlyRoot ?? false))
  return request.readonlyRoot ? [...mounts, ...own, ...inMemory([...mounts, ...own])] : [...mounts, ...own]
}

/** The folder of the container itself: what the image has there is what the volume begins with. */
function volumeIn(root: string, path: string, isReadonly: boolean): readonly MountRequest[] {
  const destination = `/${posix.relative(root, resolveInRoot(root, path))}`
  const source = posix.join(root, destination)
  if (!existsSync(source)) makeDirectory(root, destination, () => {})
  return isReadonly ? [{ type: 'bind', source, destination }] : []
}

/** As podman has it: programs find their usual folders for what goes with them writable. Source: podman-run(1), `--read-only-tmpfs`. */
function inMemory(mounts: readonly MountRequest[]): readonly MountRequest[] {
  return ['/run', '/tmp', '/var/tmp']
    .filter((path) => !mounts.some(({ destination }) => destination === path))
    .map((destination) => ({ type: 'tmpfs', destination, flags: ['nosuid', 'nodev'] }))
}
