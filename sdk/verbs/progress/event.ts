import type { CopyProgress } from '../../transport/copy.js'

/** How far one blob is, or one layer that is being packed. Plain data: the lines of `--progress=json` are the same. */
export interface ProgressEvent extends Omit<CopyProgress, 'digest' | 'kind' | 'total' | 'state'> {
  /** The verb: `pull`. */
  readonly operation: string
  /** What tells it from the others: the blob's digest, the container that is being packed, or a package. */
  readonly name: string
  readonly kind: CopyProgress['kind'] | 'package'
  /** Absent while a layer is being packed: its size is known at its end. */
  readonly total?: number
  readonly state: CopyProgress['state'] | 'packing' | 'installing'
}

/** One way to show events. `now` is milliseconds of a clock that never goes back. */
export interface Display extends Disposable {
  note(event: ProgressEvent, now: number): void
}

/** True when nothing more comes of a blob. */
export function isOver({ state }: Pick<ProgressEvent, 'state'>): boolean {
  return state === 'done' || state === 'exists'
}
