import type { Difference } from './compare.js'

type Config = Record<string, unknown>

/** A difference from a reference that is meant. Each has its line in docs/containerfile.md, "Where results differ". */
export interface Meant {
  readonly case: string
  readonly from: readonly ('BuildKit' | 'buildah')[]
  /** Takes the difference out of what was found; a test fails when there is more, and also when it is not there. */
  readonly leaves: (found: Difference[], configs: readonly [ours: Config, theirs: Config]) => void
}

export const differences: readonly Meant[] = []
