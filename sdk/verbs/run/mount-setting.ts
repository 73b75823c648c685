import type { ContainerRecord } from '../../store/container-record.js'
import type { MountedRoot } from '../../store/mounts.js'
import type { Store } from '../../store/store.js'
import type { RunOptions } from './options.js'

/** Finds the root that a name in `from=` means, for as long as it is held. */
export type RootOf = (name: string, signal: AbortSignal | undefined) => Promise<MountedRoot>

/** What the mounts of a run are made with. */
export interface MountSetting {
  readonly store: Store
  readonly record: ContainerRecord
  readonly options: RunOptions
  /** The run's private folder. */
  readonly folder: string
  readonly rootOf: RootOf
}
