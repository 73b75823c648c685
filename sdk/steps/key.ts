import { canonicalJson } from '../image/config.js'
import { type Digest, digestOf } from '../image/digest.js'
import type { Step, StepState } from './step.js'

/**
 * Part of every key: a builder whose steps mean something else, or place files in another way, has another one, and
 * takes nothing from a cache that was made before.
 */
export const stepVersion = 'builder-step/1'

/** The digest of a state: its layers, and its platform. The same files give the same digest, however they were made. */
export function stateDigest({ layers, config }: StepState): Digest {
  const { os, architecture, variant } = config
  return digestOf(canonicalJson({ version: stepVersion, layers, os, architecture, variant }))
}

/** The digest of a step: what its result is kept under. The order of names does not count, that of lists does. */
export function stepKey({ verb, parent, inputs }: Step): Digest {
  return digestOf(canonicalJson({ version: stepVersion, verb, parent, inputs }))
}
