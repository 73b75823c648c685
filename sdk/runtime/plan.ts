import type { Capabilities } from './capabilities.js'
import type { MountRequest } from './mount-request.js'
import type { Network } from './network.js'
import type { ResourceLimit } from './resource-limit.js'
import type { SharedNamespace } from './run-request.js'
import type { Seccomp } from './seccomp.js'
import type { ContainerUser } from './user.js'

/** Everything about a run that is decided, for an isolation to carry out. */
export interface RunPlan {
  readonly id: string
  readonly rootfs: string
  /** The run's private directory on the host. */
  readonly folder: string
  /** Where compiled filters are kept. */
  readonly cache?: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Variables that only the command may see: not on a disk, not in the words of a process. */
  readonly secretEnv: Readonly<Record<string, string>>
  readonly cwd: string
  readonly user: ContainerUser
  readonly terminal: boolean
  readonly hostname: string
  readonly network: Network
  readonly capabilities: Capabilities
  readonly noNewPrivileges: boolean
  readonly seccomp?: Seccomp
  /** True when the filter was asked for by name, so that leaving it out would be wrong. */
  readonly ownSeccomp: boolean
  /** Nothing of /proc and /sys is hidden or read-only. */
  readonly unmasked: boolean
  /** Bytes of /dev/shm. */
  readonly shmSize: number
  readonly limits: readonly ResourceLimit[]
  /** Namespaces of the host that it is in. */
  readonly shares: readonly SharedNamespace[]
  readonly readonlyRoot: boolean
  readonly showsCgroups: boolean
  /** Outermost destinations first; destinations are absolute and free of links. */
  readonly mounts: readonly MountRequest[]
}

/** How a plan is started. */
export interface Start {
  readonly argv: string[]
  readonly isolation: 'crun' | 'runc' | 'chroot'
  /** The OCI runtime with its global arguments, for kill and delete. */
  readonly runtime?: string[]
}

/** Kernel interfaces that tell about the host or change it. Source: containers-common, `MaskedPaths`. */
export const maskedPaths: readonly string[] = [
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/dev/block',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  '/sys/fs/selinux',
]

/** Source: containers-common, `ReadOnlyPaths`. */
export const readonlyPaths: readonly string[] = [
  '/proc/asound',
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
]
