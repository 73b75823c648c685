import { chownSync, lstatSync, statSync } from 'node:fs'
import { hostname as machineName } from 'node:os'
import { posix } from 'node:path'
import { BuilderError } from '../errors.js'
import { isMapped } from '../namespace/idmap.js'
import { resolveInRoot } from '../namespace/rooted-path.js'
import { capabilitiesFor } from './capabilities.js'
import { checkCommand } from './command.js'
import { parseDevice } from './device.js'
import { containerEnvironment, defaultPath } from './environment.js'
import { writeEtcFiles } from './etc-files.js'
import type { MountRequest } from './mount-request.js'
import { type MountTarget, makeDirectory } from './mountpoints.js'
import type { RunPlan } from './plan.js'
import type { RunRequest } from './run-request.js'
import { defaultSeccomp, readSeccomp } from './seccomp.js'
import { type ContainerUser, resolveUser } from './user.js'

/**
 * Decides everything about a run: who, where, with what. Writes the files for /etc into the run's folder and makes a
 * missing working directory, as buildah does.
 *
 * @param nameserver - What answers name queries in a private network.
 */
export function planRun(request: RunRequest, id: string, nameserver?: string): RunPlan {
  const { rootfs, folder, config, args, terminal, network } = request
  const shares = request.shares ?? []
  const hostname = shares.includes('uts') ? machineName() : checkHostname(request.hostname ?? 'builder')
  const user = checkMapped(resolveUser(rootfs, request.user ?? config.User))
  const env = containerEnvironment({
    home: user.home,
    hostname,
    terminal,
    image: config.Env ?? [],
    run: request.env ?? {},
  })
  const secretEnv = checkSecrets(request.secretEnv ?? {})
  for (const name of Object.keys(secretEnv)) delete env[name]
  const capabilities = capabilitiesFor(user.uid, request.capAdd, request.capDrop)
  const etc = writeEtcFiles({
    ...request,
    folder: posix.join(folder, id),
    hostname,
    ...(nameserver ? { nameserver } : {}),
  })
  const wanted = [...etc, ...(request.devices ?? []).map(parseDevice), ...request.mounts.map(checkSource)]
  const mounts = wanted
    .map((mount) => ({ ...mount, destination: inside(rootfs, mount.destination) }))
    .sort(outermostFirst)
  const mounted = [...systemDirectories, ...mounts.map(({ destination }) => destination)]
  const cwd = makeCwd(request, user, mounted)
  checkCommand({ rootfs, args, cwd, path: env.PATH ?? defaultPath, mounted })
  const seccomp = seccompFor(request, capabilities.bounding)
  return {
    ...{ id, rootfs, folder, args, env, secretEnv, cwd, user, terminal, hostname, network, capabilities, mounts },
    ...(seccomp ? { seccomp } : {}),
    ...(request.cache ? { cache: request.cache } : {}),
    ownSeccomp: request.seccomp !== undefined && request.seccomp !== 'unconfined',
    noNewPrivileges: request.noNewPrivileges ?? false,
    unmasked: request.unmasked ?? false,
    shmSize: request.shmSize ?? 64 << 20,
    limits: request.limits ?? [],
    shares,
    readonlyRoot: request.readonlyRoot ?? false,
    showsCgroups: request.showsCgroups ?? false,
  }
}

/** The places in the rootfs that must be there; what lies within another mount is not in the rootfs. */
export function targetsOf(mounts: readonly MountRequest[]): MountTarget[] {
  const system = systemDirectories.map((path) => ({ path, kind: 'dir' as const }))
  const targets = mounts.map(targetOf)
  const all = [...system, ...targets]
  return all.filter(({ path }) => !all.some((other) => path.startsWith(`${other.path}/`)))
}

/** What a mount needs to be mounted on. runc gives a tmpfs the permissions of that place, so it has the right ones. */
export function targetOf(mount: MountRequest): MountTarget {
  if (mount.type === 'tmpfs') return { path: mount.destination, kind: 'dir', mode: mount.mode ?? 0o1777 }
  return { path: mount.destination, kind: statSync(mount.source).isDirectory() ? 'dir' : 'file' }
}

/** A variable ends at the first NUL byte, and a runtime's configuration is UTF-8. */
function checkSecrets(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const odd = Object.entries(env).find(([name, value]) => /[=\0]/.test(name) || /[\0\uFFFD]/.test(value))
  if (!odd) return env
  throw new BuilderError('INVALID', {
    operation: 'set variable',
    object: JSON.stringify(odd[0]),
    reason: 'the secret is not text, which a variable has to be',
    hint: 'mount it as a file: leave env= out',
  })
}

function checkHostname(name: string): string {
  if (/^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(name)) return name
  throw new BuilderError('USAGE', {
    operation: 'set hostname',
    object: JSON.stringify(name),
    reason: 'it is not a host name: letters, digits, dots and hyphens, at most 64',
  })
}

function checkMapped(user: ContainerUser): ContainerUser {
  const uid = isMapped('uid', user.uid) ? undefined : `uid ${user.uid}`
  const gid = [user.gid, ...user.groups].find((id) => !isMapped('gid', id))
  const foreign = uid ?? (gid === undefined ? undefined : `gid ${gid}`)
  if (!foreign) return user
  throw new BuilderError('ID_MAP', {
    operation: 'run as',
    object: foreign,
    reason: 'it is outside the id map of this user namespace',
    hint: 'add a larger range to /etc/subuid and /etc/subgid',
  })
}

function checkSource(mount: MountRequest): MountRequest {
  if (mount.type === 'tmpfs' || statSync(mount.source, { throwIfNoEntry: false })) return mount
  throw new BuilderError('NOT_FOUND', {
    operation: 'mount',
    object: mount.source,
    reason: 'there is no such file or directory on this machine',
    hint: 'create it first, or check the path',
  })
}

function inside(rootfs: string, path: string): string {
  return `/${posix.relative(rootfs, resolveInRoot(rootfs, path))}`
}

function outermostFirst(a: MountRequest, b: MountRequest): number {
  return a.destination.split('/').length - b.destination.split('/').length
}

function makeCwd({ rootfs, cwd, config }: RunRequest, user: ContainerUser, mounted: readonly string[]): string {
  const wanted = posix.resolve('/', cwd ?? config.WorkingDir ?? '/')
  const real = inside(rootfs, wanted)
  if (mounted.some((path) => real === path || real.startsWith(`${path}/`))) return wanted
  const there = lstatSync(posix.join(rootfs, real), { throwIfNoEntry: false })
  if (there?.isDirectory()) return wanted
  if (!there) makeDirectory(rootfs, real, (made) => chownSync(made, user.uid, user.gid))
  else
    throw new BuilderError('INVALID', {
      operation: 'run in',
      object: wanted,
      reason: 'it is not a directory of the container',
      hint: 'choose another working directory with --workingdir',
    })
  return wanted
}

function seccompFor(request: RunRequest, capabilities: readonly string[]) {
  if (request.seccomp === 'unconfined') return undefined
  return request.seccomp ? readSeccomp(request.seccomp, capabilities) : defaultSeccomp(capabilities)
}

const systemDirectories = ['/proc', '/dev', '/sys']
