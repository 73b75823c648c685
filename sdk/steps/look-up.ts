import type { Digest } from '../image/digest.js'
import { readKeptStep, touchKeptStep } from '../store/kept-steps.js'
import { hasLayer, readLayer } from '../store/layers.js'
import type { Store } from '../store/store.js'
import type { StepRecord } from './record.js'
import type { StepResult } from './step.js'

/**
 * What a step made when it was executed before; undefined when that is not kept, or its layer is gone or damaged. A broken
 * cache is a miss, never an error. Share the lock `store` until the layer is in a container, so that no prune takes it.
 */
export async function lookUpStep(store: Store, key: Digest): Promise<StepResult | undefined> {
  const record = await keptStep(store, key)
  if (record) touchKeptStep(store, key)
  return record?.result
}

/** The same with the step itself; its being asked for does not count as a use. */
export async function keptStep(store: Store, key: Digest): Promise<StepRecord | undefined> {
  const kept = readKeptStep(store, key) as Partial<StepRecord> | undefined
  if (!kept?.result || !isOutput(kept.result.output)) return undefined
  const { layer } = kept.result
  return layer === undefined || (await isWhole(store, layer)) ? (kept as StepRecord) : undefined
}

function isOutput(output: Partial<NonNullable<StepResult['output']>> | undefined): boolean {
  if (output === undefined) return true
  const { stdout, stderr, exitCode } = output ?? {}
  return typeof stdout === 'string' && typeof stderr === 'string' && Number.isSafeInteger(exitCode)
}

async function isWhole(store: Store, { diffID, size }: NonNullable<StepResult['layer']>): Promise<boolean> {
  if (!hasLayer(store, diffID)) return false
  const layer = await readLayer(store, diffID).catch(() => undefined)
  return layer?.size === size
}
