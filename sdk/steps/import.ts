import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { isIndex, manifestSizeLimit } from '../image/manifest.js'
import { hostPlatform } from '../image/platform.js'
import { hasLayer, readLayer } from '../store/layers.js'
import { withLock } from '../store/locks.js'
import type { Store } from '../store/store.js'
import { chooseImage, readTop } from '../transport/choose.js'
import { diffIDsOf } from '../transport/diff-ids.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import type { ImageSource } from '../transport/source.js'
import { openSource } from '../transport/transport.js'
import { unpackLayer } from '../transport/unpack.js'
import { broken, collect, verifyBytes } from '../transport/verify.js'
import { parseCacheConfig, type StepResults } from './cache-image.js'
import { recordStep } from './record.js'
import type { Step, StepResult } from './step.js'

/** Steps of another machine, as an image that {@link exportSteps} wrote carries them. */
export interface ImportedSteps extends AsyncDisposable {
  /** `transport:path[:ref]`, for explanations. */
  readonly name: string
  readonly size: number
  /**
   * What a step made there; its layer is brought into the store, checked against its digests, and the step is kept here too.
   * Undefined when it is not among them. Run it inside the namespace, and share the lock `store` until the layer is in a
   * container. Throws `DIGEST`, `INVALID`, `UNSAFE` for a layer that is not what the image says, `NOT_FOUND` for a missing one.
   */
  take(step: Step, key: Digest, signal?: AbortSignal): Promise<StepResult | undefined>
}

/**
 * Opens an image that carries steps; only its manifest and its configuration are read, and layers when they are taken. Throws
 * `NOT_FOUND` when there is none, `INVALID` when it is no cache, `DIGEST`, and what opening the place throws.
 */
export async function openImportedSteps(
  store: Store,
  source: string,
  options: { readonly registry?: RegistryOptions; readonly signal?: AbortSignal } = {},
): Promise<ImportedSteps> {
  const { registry, signal } = options
  const opened = await openSource(store, source, { ...(registry ? { registry } : {}), ...(signal ? { signal } : {}) })
  try {
    const { steps, blobs } = await readCache(opened, source)
    const arriving = new Map<Digest, Promise<void>>()
    return {
      name: source,
      size: steps.size,
      async take(step, key, stop) {
        const result = steps.get(key)
        if (!result) return undefined
        const { layer } = result
        const bring = async () => {
          if (layer) {
            const blob = blobs.get(layer.diffID) as Descriptor
            const coming = arriving.get(layer.diffID) ?? bringLayer(store, opened, blob, layer, stop)
            arriving.set(layer.diffID, coming)
            await coming.finally(() => arriving.delete(layer.diffID))
          }
          await recordStep(store, step, key, result)
          return result
        }
        return withLock(store, 'store', bring, { shared: true, purpose: `take a step from ${source}` })
      },
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    }
  } catch (error) {
    await opened[Symbol.asyncDispose]()
    throw error
  }
}

interface Cache {
  readonly steps: StepResults
  /** By the diffIDs of their layers. */
  readonly blobs: ReadonlyMap<Digest, Descriptor>
}

async function readCache(source: ImageSource, name: string): Promise<Cache> {
  const { value } = await chooseImage(source, await readTop(source), hostPlatform())
  if (isIndex(value)) throw broken(name, 'it is an index of indexes, and no cache')
  const { config, layers } = value
  const bytes = await collect(await source.blob(config), manifestSizeLimit, `${name}, its configuration`)
  verifyBytes(bytes, config, name)
  const steps = parseCacheConfig(bytes, name)
  const diffIDs = diffIDsOf(bytes, layers, name)
  return { steps, blobs: new Map(diffIDs.map((diffID, i) => [diffID, layers[i] as Descriptor])) }
}

/** Unpacks a layer unless the store has it; its size must be the one that the step is said to have made. */
async function bringLayer(
  store: Store,
  source: ImageSource,
  blob: Descriptor,
  { diffID, size }: NonNullable<StepResult['layer']>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!hasLayer(store, diffID))
    await unpackLayer(store, { blob, diffID, stream: await source.blob(blob), ...(signal ? { signal } : {}) })
  if ((await readLayer(store, diffID)).size !== size)
    throw broken(source.name, `a step that it carries says that ${diffID} has ${size} bytes, and it has not`)
}
