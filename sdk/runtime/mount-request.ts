/** What keeps a mounted file system from doing things. Source: mount(8). */
export type MountFlag = 'nosuid' | 'nodev' | 'noexec'

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
 * A `--mount` as it was written: what {@link MountRequest} is made of once the caller knows where sources are.
 * For `bind`, `source` may be relative to a context or to `from`; for `cache`, `id` names the cache.
 */
export type MountWish =
  | (Omit<BindMount, 'source'> & { readonly source?: string; readonly from?: string })
  | TmpfsMount
  | (Omit<CacheMount, 'source'> & {
      readonly id?: string
      readonly from?: string
      readonly source?: string
      readonly mode?: number
      readonly uid?: number
      readonly gid?: number
    })
