import type { ExecutionConfig } from '../image/config.js'
import type { DnsSettings } from './etc-files.js'
import type { Isolation } from './isolation.js'
import type { MountRequest } from './mount-request.js'
import type { Mountpoint } from './mountpoints.js'
import type { Network } from './network.js'
import type { ResourceLimit } from './resource-limit.js'
import type { SecurityOptions } from './security-option.js'

/** A process to run in a container. Everything that is not given follows the image's configuration. */
export interface RunRequest extends SecurityOptions {
  /** The container's root directory on the host, mounted. */
  readonly rootfs: string
  /** A private directory for this run; made when it is missing, removed by `finishRun`. */
  readonly folder: string
  /** Gets the mount points that are about to be made, before they are: what a killed run leaves can then be found. */
  readonly onMountpoints?: (missing: readonly Mountpoint[]) => Promise<void>
  /** A directory that only the user can write to: keeps compiled system call filters, which halves a start. */
  readonly cache?: string
  readonly config: ExecutionConfig
  /** The command as it is started: no shell, no entrypoint is put in front. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Secrets as variables: they win over all others. Give a `folder` that is in memory with them. */
  readonly secretEnv?: Readonly<Record<string, string>>
  /** `folder` is from `makeMemoryFolder`; `finishRun` unmounts it. */
  readonly inMemory?: boolean
  /** `name[:group]` or `uid[:gid]`. */
  readonly user?: string
  /** Made, and given to the user, when it is missing. */
  readonly cwd?: string
  /** The caller's terminal becomes the command's; standard input must be one. */
  readonly terminal: boolean
  /** Default: `builder`, so that a build does not depend on the machine. */
  readonly hostname?: string
  readonly network: Network
  readonly capAdd?: readonly string[]
  readonly capDrop?: readonly string[]
  readonly isolation?: Isolation
  /** Name or path of an OCI runtime. */
  readonly runtime?: string
  readonly mounts: readonly MountRequest[]
  /** `HOST[:CONTAINER][:rwm]` */
  readonly devices?: readonly string[]
  readonly noHosts?: boolean
  readonly noHostname?: boolean
  /** `name:address` */
  readonly addHosts?: readonly string[]
  /** Name servers instead of the host's, and the other lines of resolv.conf. */
  readonly dns?: DnsSettings
  /** Bytes of /dev/shm. Default: 64 MiB. */
  readonly shmSize?: number
  readonly limits?: readonly ResourceLimit[]
  /** Namespaces of the host that the command is in. */
  readonly shares?: readonly SharedNamespace[]
  /** Nothing of the root file system can be written to; mounts can. */
  readonly readonlyRoot?: boolean
  /** Shows the host's control groups, writable for who may write to them. */
  readonly showsCgroups?: boolean
}

/** A namespace that a run has for itself unless it shares the host's. */
export type SharedNamespace = 'pid' | 'ipc' | 'uts'

/** A run that is ready to start. Plain data: another process can finish it. */
export interface PreparedRun {
  readonly id: string
  /** What to execute, in this namespace, with the standard files that the command shall have. */
  readonly argv: string[]
  /** The environment of `argv`; the command's own is in the bundle. */
  readonly env: Record<string, string>
  readonly folder: string
  readonly isolation: 'crun' | 'runc' | 'chroot'
  /** The OCI runtime with its global arguments. */
  readonly runtime?: string[]
  readonly rootfs: string
  readonly mountpoints: readonly Mountpoint[]
  /** `folder` is a file system in memory. */
  readonly inMemory?: boolean
  /** What it started does not end with its first process, for it sees the host's processes. */
  readonly sharesProcesses?: boolean
}
