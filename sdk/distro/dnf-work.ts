import type { ContainerRecord } from '../store/containers.js'
import type { Store } from '../store/store.js'
import type { DnfSwitches } from './dnf-arguments.js'
import type { DnfSettings } from './dnf-config.js'
import type { DnfEvent } from './dnf-event.js'
import type { DnfProgram } from './dnf-program.js'
import type { DnfRequest } from './dnf-request.js'
import type { PackageLock } from './package-lock.js'

/** How a request is carried out. */
export interface DnfWork extends DnfSettings, DnfSwitches {
  readonly request: DnfRequest
  /** The host's own repositories, beside those that are named. */
  readonly fromHost: boolean
  /** Absolute path of a lock file. */
  readonly lock?: string | undefined
  /** Seconds since 1970; without it the time at which the newest package was built. */
  readonly epoch?: number | undefined
  /** `http_proxy` and the like. */
  readonly proxies: Readonly<Record<string, string>>
  readonly onEvent: (event: DnfEvent) => void
  readonly signal?: AbortSignal | undefined
}

/** One request on its way. */
export interface DnfRun {
  readonly store: Store
  readonly record: ContainerRecord
  readonly work: DnfWork
  readonly program: DnfProgram
  /** A folder of this run alone. */
  readonly state: string
  /** What the lock file says, when there is one. */
  readonly lock: PackageLock | undefined
}
