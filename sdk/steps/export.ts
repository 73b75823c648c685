import { layerDescriptor } from '../image/assemble.js'
import { canonicalJson } from '../image/config.js'
import { mediaTypes } from '../image/descriptor.js'
import { type Digest, digestOf } from '../image/digest.js'
import { type Manifest, manifestSizeLimit } from '../image/manifest.js'
import { hasBlob, streamBlob } from '../store/blobs.js'
import { findCompressed, noteCompressed } from '../store/compressed.js'
import { streamLayer } from '../store/layer-stream.js'
import { withLock } from '../store/locks.js'
import type { Store } from '../store/store.js'
import type { CopyProgress } from '../transport/copy.js'
import { copyImage } from '../transport/copy.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import type { ImageSource } from '../transport/source.js'
import { openSink } from '../transport/transport.js'
import { cacheConfig, layersOf, type StepResults } from './cache-image.js'
import { keptStep } from './look-up.js'
import type { StepResult } from './step.js'

/** How steps are written to a place. */
export interface ExportOptions {
  readonly registry?: RegistryOptions
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: CopyProgress) => void
}

/** What was written. */
export interface Exported {
  /** Of the image's manifest. */
  readonly digest: Digest
  readonly steps: number
  readonly layers: number
}

/**
 * Writes kept steps as an image to any transport: their layers are its layers, gzip for a registry. Steps that are not kept any
 * more are left out, and those whose output would make the image's configuration larger than registries take. The same steps
 * give the same image. Run it inside the namespace. Throws what opening and writing the place throws.
 */
export async function exportSteps(
  store: Store,
  keys: Iterable<Digest>,
  destination: string,
  options: ExportOptions = {},
): Promise<Exported> {
  const { signal, registry, onProgress } = options
  const stop = signal ? { signal } : {}
  const write = async () => {
    const steps = await fitting(store, keys)
    const source = sourceOf(store, steps, signal)
    await using sink = await openSink(store, destination, { ...(registry ? { registry } : {}), ...stop })
    const compression = destination.startsWith('docker://') ? { compression: { format: 'gzip' as const } } : {}
    const { digest } = await copyImage(source, sink, { ...compression, ...stop, ...(onProgress ? { onProgress } : {}) })
    return { digest, steps: steps.size, layers: layersOf(steps).length }
  }
  return withLock(store, 'store', write, { shared: true, purpose: `write the cache to ${destination}`, ...stop })
}

/** As many steps as there is room for, those that print little first. */
async function fitting(store: Store, keys: Iterable<Digest>): Promise<StepResults> {
  const found: [Digest, StepResult][] = []
  for (const key of new Set(keys)) {
    const kept = await keptStep(store, key)
    if (kept) found.push([key, kept.result])
  }
  found.sort(([, a], [, b]) => sizeOf(a) - sizeOf(b))
  let room = manifestSizeLimit / 2
  return new Map(
    found.filter(([, result]) => {
      room -= sizeOf(result)
      return room >= 0
    }),
  )
}

/** Bytes in the configuration, with those of its layer's entries there and in the manifest. */
function sizeOf(result: StepResult): number {
  return Buffer.byteLength(JSON.stringify(result)) + 500
}

function sourceOf(store: Store, steps: StepResults, signal: AbortSignal | undefined): ImageSource {
  const config = cacheConfig(steps)
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
    layers: layersOf(steps).map(layerDescriptor),
  }
  const bytes = Buffer.from(canonicalJson(manifest))
  return {
    name: 'the step cache',
    top: async () => ({ bytes, mediaType: manifest.mediaType, digest: digestOf(bytes) }),
    manifest: async () => bytes,
    async blob({ digest, size }) {
      if (digest === manifest.config.digest) return [config] as unknown as AsyncIterable<Uint8Array>
      return hasBlob(store, digest, size) ? streamBlob(store, digest) : streamLayer(store, digest, signal)
    },
    compressed: {
      find: (layer, kind) => findCompressed(store, layer, kind),
      note: (layer, kind, result) => noteCompressed(store, layer, kind, result),
    },
    async [Symbol.asyncDispose]() {},
  }
}
