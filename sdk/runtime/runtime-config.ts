import { existsSync } from 'node:fs'
import { isMapped } from '../namespace/idmap.js'
import { isInUserNamespace } from '../namespace/inside.js'
import type { MountRequest } from './mount-request.js'
import { maskedPaths, type RunPlan, readonlyPaths } from './plan.js'
import { propagationOf } from './propagation.js'

/** A mount as an OCI runtime takes it. Source: OCI runtime-spec config.md, `mounts`. */
export interface OciMount {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

/** A `config.json`. Source: OCI runtime-spec 1.0.2, config.md and config-linux.md. */
export function runtimeConfig(plan: RunPlan): Record<string, unknown> {
  const { user, capabilities } = plan
  return {
    ociVersion: '1.0.2',
    ...(plan.shares.includes('uts') ? {} : { hostname: plan.hostname }),
    root: { path: plan.rootfs, ...(plan.readonlyRoot ? { readonly: true } : {}) },
    process: {
      terminal: plan.terminal,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.groups, umask: 0o022 },
      args: plan.args,
      env: Object.entries({ ...plan.env, ...plan.secretEnv }).map(([name, value]) => `${name}=${value}`),
      cwd: plan.cwd,
      capabilities,
      noNewPrivileges: plan.noNewPrivileges,
      ...(plan.limits.length > 0 ? { rlimits: plan.limits } : {}),
    },
    mounts: [...systemMounts(plan), ...plan.mounts.map(ociMount)],
    linux: {
      namespaces: namespaces(plan).map((type) => ({ type })),
      ...(plan.unmasked ? {} : { maskedPaths, readonlyPaths }),
      // A device that is mounted in must not be refused again by a device cgroup.
      resources: { devices: [{ allow: true, access: 'rwm' }] },
      ...(plan.seccomp ? { seccomp: plan.seccomp } : {}),
      ...rootPropagation(plan),
    },
  }
}

/** A mount follows the host's later mounts only when the root that it is in does. */
function rootPropagation({ mounts }: RunPlan): { rootfsPropagation?: string } {
  const propagation = propagationOf(mounts)
  return propagation === 'private' ? {} : { rootfsPropagation: `r${propagation}` }
}

/** Of a private network nothing is said here: the runtime is started in it and the container inherits it. */
function namespaces({ network, shares }: RunPlan): string[] {
  const own = (['pid', 'ipc', 'uts'] as const).filter((type) => !shares.includes(type))
  return [...own, 'mount', ...(network === 'none' ? ['network'] : [])]
}

function systemMounts(plan: RunPlan): OciMount[] {
  const guarded = ['nosuid', 'noexec', 'nodev']
  const shm = `size=${plan.shmSize}`
  const tty = isMapped('gid', ttyGroup) ? [`gid=${ttyGroup}`] : []
  return [
    procMount(plan, guarded),
    mount('/dev', 'tmpfs', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...tty]),
    ...(plan.shares.includes('ipc')
      ? sharedMemory(guarded)
      : [
          mount('/dev/shm', 'tmpfs', 'shm', [...guarded, 'mode=1777', shm]),
          mount('/dev/mqueue', 'mqueue', 'mqueue', guarded),
        ]),
    ...sysMounts(plan, guarded),
  ]
}

/** A new /proc shows a pid namespace to its owner alone; of the host's, a user namespace sees the one that is there. */
function procMount({ shares }: RunPlan, guarded: readonly string[]): OciMount {
  if (!shares.includes('pid') || !isInUserNamespace()) return mount('/proc', 'proc', 'proc', guarded)
  return mount('/proc', 'bind', '/proc', ['rbind', ...guarded])
}

function sharedMemory(guarded: readonly string[]): OciMount[] {
  const places = ['/dev/shm', '/dev/mqueue'].filter((path) => existsSync(path))
  return places.map((path) => mount(path, 'bind', path, ['rbind', 'rprivate', ...guarded, 'rw']))
}

/**
 * A sysfs shows the network namespace it was mounted in, and only that namespace's owner may mount one: with the
 * host's network in a user namespace the host's is shown instead, read-only and without its cgroups.
 */
function sysMounts({ network, unmasked, showsCgroups }: RunPlan, guarded: readonly string[]): OciMount[] {
  const access = unmasked ? 'rw' : 'ro'
  const groups = '/sys/fs/cgroup'
  const shown = showsCgroups ? [mount(groups, 'bind', groups, ['rbind', 'rprivate', ...guarded, 'rw'])] : []
  if (network !== 'host' || !isInUserNamespace())
    return [mount('/sys', 'sysfs', 'sysfs', [...guarded, access]), ...shown]
  if (showsCgroups) return [mount('/sys', 'bind', '/sys', ['rbind', 'rprivate', ...guarded, access])]
  return [
    mount('/sys', 'bind', '/sys', ['rbind', ...guarded, access]),
    mount('/sys/fs/cgroup', 'tmpfs', 'tmpfs', [...guarded, 'ro', 'mode=555', 'size=4k']),
  ]
}

function ociMount(request: MountRequest): OciMount {
  const { destination } = request
  const access = request.readonly ? 'ro' : 'rw'
  const flags = request.type === 'cache' ? [] : (request.flags ?? [])
  if (request.type === 'tmpfs') {
    const size = request.size === undefined ? [] : [`size=${request.size}`]
    const mode = `mode=${(request.mode ?? 0o1777).toString(8)}`
    return mount(destination, 'tmpfs', 'tmpfs', [...flags, access, mode, ...size])
  }
  const bind = request.type === 'bind' && request.recursive === false ? 'bind' : 'rbind'
  const propagation = (request.type === 'bind' && request.propagation) || 'rprivate'
  return mount(destination, 'bind', request.source, [bind, propagation, access, ...flags])
}

function mount(destination: string, type: string, source: string, options: readonly string[]): OciMount {
  return { destination, type, source, options }
}

/** The group of terminals, which grantpt(3) expects. */
const ttyGroup = 5
