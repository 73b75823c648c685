import { BuilderError } from '../errors.js'
import { type ExpandOptions, expandWord, expandWords, type Lookup } from './expand.js'
import type { LintOptions } from './finding.js'

/** Expands texts for the rules. */
export interface LintExpand {
  /** Undefined for a text that cannot be expanded. */
  readonly word: (text: string, lookup: Lookup, options: ExpandOptions) => string | undefined
  readonly words: (text: string, lookup: Lookup, options: ExpandOptions) => readonly string[]
}

/**
 * A build tells itself of a text that cannot be expanded, when it comes to it, and may never come to it: then the rules pass
 * over it. A strict linter throws its error.
 */
export function lintExpand({ strict = false }: LintOptions): LintExpand {
  if (strict) return { word: expandWord, words: expandWords }
  return {
    word: (...all) => unlessWrong(() => expandWord(...all)),
    words: (...all) => unlessWrong(() => expandWords(...all)) ?? [],
  }
}

function unlessWrong<Value>(call: () => Value): Value | undefined {
  try {
    return call()
  } catch (error) {
    if (error instanceof BuilderError) return undefined
    throw error
  }
}
