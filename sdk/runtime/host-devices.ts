import { accessSync, constants, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The devices of this machine, and how many of them this process may not open. */
export interface HostDevices {
  /** Absolute paths. */
  readonly usable: readonly string[]
  readonly closed: number
}

/**
 * All devices below `/dev`, as `--privileged` gives them: without terminals of others (`pts`), shared memory and queues, which a
 * container has for itself, and without links.
 */
export function hostDevices(top = '/dev'): HostDevices {
  const all = devicesBelow(top)
  const usable = all.filter(isOpenable)
  return { usable, closed: all.length - usable.length }
}

function devicesBelow(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return left.has(path) ? [] : devicesBelow(path)
    return (entry.isCharacterDevice() || entry.isBlockDevice()) && !left.has(path) ? [path] : []
  })
}

/** What a container has of its own under the same name. Source: podman-run(1), `--privileged`; OCI runtime-spec, "Default Devices". */
const left = new Set(
  'pts shm mqueue console tty ptmx null zero full random urandom .lxc .lxd-mounts .udev'
    .split(' ')
    .map((name) => `/dev/${name}`),
)

function isOpenable(path: string): boolean {
  return [constants.R_OK, constants.W_OK].some((mode) => {
    try {
      accessSync(path, mode)
      return true
    } catch {
      return false
    }
  })
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
