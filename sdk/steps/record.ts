import type { Digest } from '../image/digest.js'
import { type KeptStep, writeKeptStep } from '../store/kept-steps.js'
import { hasLayer } from '../store/layers.js'
import { withLock } from '../store/locks.js'
import type { Store } from '../store/store.js'
import { keptForm } from './kept-form.js'
import type { Step, StepResult } from './step.js'

/** A step as its file keeps it. */
export interface StepRecord extends KeptStep {
  readonly step: Step
  readonly result: StepResult
}

/** Bytes of each stream that are kept at most. */
export const outputLimit = 1 << 20

/**
 * Keeps what a step made. False when it is not kept: its layer is gone, or it printed more than 1 MiB. Throws `SYSTEM`
 * when the file cannot be written.
 */
export async function recordStep(store: Store, step: Step, key: Digest, result: StepResult): Promise<boolean> {
  const { output, layer } = result
  if (output && [output.stdout, output.stderr].some((text) => Buffer.byteLength(text) > outputLimit)) return false
  const keep = () => {
    if (layer && !hasLayer(store, layer.diffID)) return false
    const record: StepRecord = { key, step: keptForm(step), result }
    writeKeptStep(store, record)
    return true
  }
  return withLock(store, 'store', keep, { shared: true, purpose: 'keep step' })
}
