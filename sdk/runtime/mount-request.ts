/** What keeps a mounted file system from doing things. Source: mount(8). */
export type MountFlag = 'nosuid' | 'nodev' | 'noexec'

/** Which later mounts below it are seen on the other side. Source: mount_namespaces(7), "Shared subtrees". */
export type Propagation = 'slave' | 'rslave' | 'shared' | 'rshared'

/** A file or directory of the host, seen in the container. */
export interface BindMount {
  readonly type: 'bind'
  /** Absolute path on the host. It must exist. */
  readonly source: string
  /** Absolute path in the container; created for the run when it is missing. */
  readonly destination: string
  readonly readonly?: boolean
  /** Takes what is mounted below the source along. Default: true. */
  readonly recursive?: boolean
  readonly flags?: readonly MountFlag[]
  /** Absent: what is mounted later on one side is not seen on the other. */
  readonly propagation?: Propagation
}

/** An empty file system in memory. */
export interface TmpfsMount {
  readonly type: 'tmpfs'
  readonly destination: string
  /** Bytes. Default: half of the memory, the kernel's. */
  readonly size?: number
  /** Permission bits of its root. Default: 0o1777. */
  readonly mode?: number
  readonly readonly?: boolean
  readonly flags?: readonly MountFlag[]
}

/** A directory that outlives the run; where it is on the host and who may use it at once is the caller's to settle. */
export interface CacheMount {
  readonly type: 'cache'
  readonly source: string
  readonly destination: string
  readonly sharing?: CacheSharing
  readonly readonly?: boolean
}

/** Who may use a cache at once. Source: the Dockerfile frontend's `RUN --mount=type=cache,sharing=`. */
export type CacheSharing = 'shared' | 'private' | 'locked'

/** One mount of a run, with every path resolved. */
export type MountRequest = BindMount | TmpfsMount | CacheMount

/**
 * A `--mount` as it was written: what {@link MountRequest} is made of once the caller knows where sources are, and what
 * the secrets are. A destination that is not absolute counts from the command's working folder.
 */
export type MountWish = BindWish | TmpfsMount | CacheWish | SecretWish | SshWish

/** `source` may be relative to a context or to `from`. What is written to it when it is not read-only is discarded. */
export type BindWish = Omit<BindMount, 'source'> & { readonly source?: string; readonly from?: string }

/** `id` names the cache; `from` and `source` say what a new one holds. */
export type CacheWish = Omit<CacheMount, 'source'> &
  Partial<Owned> & { readonly id?: string; readonly from?: string; readonly source?: string }

/** A secret as a file (the default: /run/secrets/ID), a variable, or both. */
export type SecretWish = Partial<Owned> & {
  readonly type: 'secret'
  readonly id: string
  readonly destination?: string
  readonly env?: string
  /** When it was not given the run fails, instead of going on without it. */
  readonly required: boolean
}

/** The socket of an ssh agent; by default /run/buildkit/ssh_agent.N. */
export type SshWish = Partial<Owned> & {
  readonly type: 'ssh'
  readonly id: string
  readonly destination?: string
  readonly required: boolean
}

/** Permission bits and owner, in the container's numbers. */
export interface Owned {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}
