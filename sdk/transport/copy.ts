import { BuilderError } from '../errors.js'
import { parseConfig } from '../image/config.js'
import { type Descriptor, isIndexType, isManifestType } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { isIndex } from '../image/manifest.js'
import { formatPlatform, hostPlatform, type Platform, platformMatches } from '../image/platform.js'
import { chooseImage, depthLimit, type Found, readChild, readTop, tooDeep } from './choose.js'
import { inParallel } from './parallel.js'
import type { CopyPlan, ImageSink } from './sink.js'
import type { ImageSource } from './source.js'

/** What is known about one blob on its way. `bytes` and `total` are bytes of the blob as it is copied. */
export interface CopyProgress {
  readonly digest: Digest
  readonly bytes: number
  readonly total: number
  /** `exists`: the sink has it already. */
  readonly state: 'copying' | 'done' | 'exists'
}

/** What to copy of a source, and who is told. */
export interface CopyOptions {
  /** Which image of an index; this machine's when absent. */
  readonly platform?: Platform
  /** The index with every image in it. */
  readonly all?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: CopyProgress) => void
}

/**
 * Copies an image. Manifests, configurations and layers keep their bytes, so their digests; the sink checks each.
 * Four blobs move at once. The caller disposes of source and sink; a sink that did not finish then removes what it
 * wrote. Returns the descriptor of what was copied. Throws `NOT_FOUND`, `INVALID`, `DIGEST`, `EXISTS`, `ABORTED`.
 */
export async function copyImage(source: ImageSource, sink: ImageSink, options: CopyOptions = {}): Promise<Descriptor> {
  const { signal, onProgress = () => {} } = options
  const manifests = await choose(source, options)
  const plan = planOf(manifests, signal)
  stopIfAborted(signal, source.name)
  await sink.begin(plan)
  const configs = new Set(plan.images.map(({ manifest }) => manifest.config.digest))
  const copy = (descriptor: Descriptor, stop: AbortSignal) => copyBlob(source, sink, descriptor, { stop, onProgress })
  const work = { limit: sink.concurrency ?? 4, ...(signal ? { signal } : {}) }
  await inParallel(
    plan.blobs.filter(({ digest }) => configs.has(digest)),
    copy,
    work,
  )
  await inParallel(
    plan.blobs.filter(({ digest }) => !configs.has(digest)),
    copy,
    work,
  )
  for (const { bytes, descriptor } of manifests) {
    stopIfAborted(signal, source.name)
    await sink.putManifest(bytes, descriptor.mediaType, descriptor.digest, { top: descriptor === plan.top })
  }
  stopIfAborted(signal, source.name)
  await sink.finish()
  return plan.top
}

/** What is to be copied: children before parents, the top last, each once. */
async function choose(source: ImageSource, { platform, all = false }: CopyOptions): Promise<readonly Found[]> {
  const top = await readTop(source)
  if (all) return withChildren(source, top)
  const image = await chooseImage(source, top, platform ?? hostPlatform())
  if (platform && image === top) await checkPlatform(source, top, platform)
  return [image]
}

async function withChildren(source: ImageSource, { value, ...rest }: Found, depth = 0): Promise<readonly Found[]> {
  if (depth > depthLimit) throw tooDeep(source.name)
  const found = new Map<Digest, Found>()
  for (const child of isIndex(value) ? value.manifests : []) {
    if (isOther(child)) continue
    const below = await withChildren(source, await readChild(source, child), depth + 1)
    for (const it of below) found.set(it.descriptor.digest, it)
  }
  return [...found.values(), { value, ...rest }]
}

/** A single image that was asked for by its platform must be for it. */
async function checkPlatform(source: ImageSource, { value }: Found, wanted: Platform): Promise<void> {
  if (isIndex(value)) return
  const chunks: Uint8Array[] = []
  for await (const chunk of await source.blob(value.config)) chunks.push(chunk)
  const offered = parseConfig(Buffer.concat(chunks), source.name)
  if (platformMatches(wanted, offered)) return
  throw new BuilderError('NOT_FOUND', {
    operation: 'read image',
    object: source.name,
    reason: `it is for ${formatPlatform(offered)}, not for ${formatPlatform(wanted)}`,
  })
}

function planOf(found: readonly Found[], signal: AbortSignal | undefined): CopyPlan {
  const images = found.flatMap(({ descriptor, value }) => (isIndex(value) ? [] : [{ descriptor, manifest: value }]))
  const configs = images.map(({ manifest }) => manifest.config)
  const layers = images.flatMap(({ manifest }) => manifest.layers)
  // An index may also name what is neither a manifest nor an index; it is copied as it is.
  const others = found.flatMap(({ value }) => (isIndex(value) ? value.manifests.filter(isOther) : []))
  const blobs = new Map([...configs, ...layers, ...others].map((descriptor) => [descriptor.digest, descriptor]))
  const top = (found.at(-1) as Found).descriptor
  const manifests = found.map(({ descriptor }) => descriptor)
  return { top, manifests, images, blobs: [...blobs.values()], ...(signal ? { signal } : {}) }
}

function isOther({ mediaType }: Descriptor): boolean {
  return !isManifestType(mediaType) && !isIndexType(mediaType)
}

interface Watch {
  readonly stop: AbortSignal
  readonly onProgress: (progress: CopyProgress) => void
}

async function copyBlob(source: ImageSource, sink: ImageSink, descriptor: Descriptor, { stop, onProgress }: Watch) {
  const { digest, size: total } = descriptor
  if (await sink.hasBlob(descriptor)) return onProgress({ digest, bytes: total, total, state: 'exists' })
  onProgress({ digest, bytes: 0, total, state: 'copying' })
  const stream = await source.blob(descriptor)
  async function* counted() {
    let bytes = 0
    for await (const chunk of stream) {
      stopIfAborted(stop, source.name)
      bytes += chunk.length
      onProgress({ digest, bytes, total, state: 'copying' })
      yield chunk
    }
  }
  await sink.putBlob(descriptor, counted())
  onProgress({ digest, bytes: total, total, state: 'done' })
}

function stopIfAborted(signal: AbortSignal | undefined, object: string): void {
  if (!signal?.aborted) return
  const cause = signal.reason
  throw new BuilderError('ABORTED', { operation: 'copy image', object, reason: 'stopped before it was done', cause })
}
