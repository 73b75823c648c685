import { tidyRoot, usesOf } from '../../store/mounts.js'
import { type StepLayer, type StepSealing, sealStep } from '../../store/seal-step.js'
import type { Store } from '../../store/store.js'
import { forgetMountpoints } from '../run/mountpoints.js'

/**
 * Ends a step in a container: what a killed run left in it goes, and its changes become a layer, as `commit` does it, but
 * without an image. Run it inside the namespace. Throws as `sealStep` does.
 */
export async function sealContainer(
  store: Store,
  id: string,
  sealing: StepSealing = {},
): Promise<{ layer?: StepLayer }> {
  await tidyContainer(store, id, sealing.signal)
  return sealStep(store, id, sealing)
}

/** Removes what a killed run left; while one is at work its mount points stay, and are left out by name. */
export async function tidyContainer(store: Store, id: string, signal?: AbortSignal): Promise<void> {
  if (usesOf(store, id) === 0) await forgetMountpoints(store, id, await tidyRoot(store, id, signal))
}
