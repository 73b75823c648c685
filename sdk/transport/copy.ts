import { BuilderError } from '../errors.js'
import { parseConfig } from '../image/config.js'
import { type Descriptor, isIndexType, isManifestType } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { isIndex } from '../image/manifest.js'
import { formatPlatform, hostPlatform, type Platform, platformMatches } from '../image/platform.js'
import { chooseImage, depthLimit, type Found, readChild, readTop, tooDeep } from './choose.js'
import { type Compression, layersToCompress } from './compression.js'
import { inParallel } from './parallel.js'
import { type Recompressed, recompress, type Work } from './recompress.js'
import { hearingRetries, type Retry } from './retries.js'
import type { CopyPlan, ImageSink } from './sink.js'
import type { ImageSource } from './source.js'

/** What is known about one blob on its way. `bytes` and `total` are bytes of the blob as it is copied. */
export interface CopyProgress {
  readonly digest: Digest
  /** `other`: what an index names beside images. */
  readonly kind: 'config' | 'layer' | 'other'
  readonly bytes: number
  readonly total: number
  /**
   * `waiting`: its turn has not come. `finishing`: its bytes are there, and the sink is still at work on them (unpacks
   * them, waits for the registry's word). `exists`: the sink has it already.
   */
  readonly state: 'waiting' | 'copying' | 'retrying' | 'finishing' | 'done' | 'exists'
  /** While it is `retrying`. */
  readonly retry?: Retry
}

/** What to copy of a source, and who is told. */
export interface CopyOptions {
  /** Which image of an index; this machine's when absent. */
  readonly platform?: Platform
  /** The index with every image in it. */
  readonly all?: boolean
  /** How layers are compressed on their way; absent: they keep their bytes. */
  readonly compression?: Compression
  /** Fail rather than change a manifest, a configuration or a layer. */
  readonly preserveDigests?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: CopyProgress) => void
}

/**
 * Copies an image. Manifests, configurations and layers keep their bytes, so their digests, unless layers are to be
 * compressed; the sink checks each. Four blobs move at once. The caller disposes of source and sink; a sink that did not finish then removes what it
 * wrote. Returns the descriptor of what was copied. Throws `NOT_FOUND`, `INVALID`, `DIGEST`, `EXISTS`, `ABORTED`.
 */
export async function copyImage(source: ImageSource, sink: ImageSink, options: CopyOptions = {}): Promise<Descriptor> {
  const { signal, onProgress = () => {} } = options
  const chosen = await choose(source, options)
  stopIfAborted(signal, source.name)
  const { manifests, sent, opened } = await compressed(source, sink, chosen, options)
  const open = (descriptor: Descriptor) => opened.get(descriptor.digest)?.() ?? source.blob(descriptor)
  const plan = planOf(source, manifests, open, signal)
  await sink.begin(plan)
  const configs = new Set(plan.images.map(({ manifest }) => manifest.config.digest))
  const kindOf = kindsIn(plan)
  const copy = (descriptor: Descriptor, stop: AbortSignal) => {
    const tell = tellOf(descriptor, kindOf(descriptor), onProgress)
    return copyBlob({ name: source.name, blob: open }, sink, descriptor, { stop, tell })
  }
  const waiting = plan.blobs.filter(({ digest }) => !sent.has(digest))
  for (const one of waiting) tellOf(one, kindOf(one), onProgress)('waiting', 0)
  const work = { limit: sink.concurrency ?? 4, ...(signal ? { signal } : {}) }
  const isConfig = ({ digest }: Descriptor) => configs.has(digest)
  // Whatever a stop broke off first, what was stopped is the copy.
  const all = (blobs: readonly Descriptor[]) =>
    inParallel(blobs, copy, work).catch((error) => {
      stopIfAborted(signal, source.name)
      throw error
    })
  await all(waiting.filter(isConfig))
  await all(waiting.filter((it) => !isConfig(it)))
  for (const { bytes, descriptor } of manifests) {
    stopIfAborted(signal, source.name)
    await sink.putManifest(bytes, descriptor.mediaType, descriptor.digest, { top: descriptor === plan.top })
  }
  stopIfAborted(signal, source.name)
  await sink.finish()
  return plan.top
}

/** Compresses layers when that is asked for. Throws `UNSUPPORTED` when digests would change that must not. */
async function compressed(
  source: ImageSource,
  sink: ImageSink,
  manifests: readonly Found[],
  { compression, preserveDigests = false, signal, onProgress = () => {} }: CopyOptions,
): Promise<Recompressed> {
  if (preserveDigests && sink.isPlain) throw changesDigests(sink, 'such an archive has a manifest of its own')
  const isAny = manifests.some(
    ({ value }) => compression && !isIndex(value) && layersToCompress(value, compression).length > 0,
  )
  if (!compression || !isAny) return { manifests, sent: new Set(), opened: new Map() }
  if (preserveDigests) throw changesDigests(sink, `its layers would be written as ${compression.format}`)
  if (sink.isPlain && compression.format !== 'none') throw isPlain(sink, compression)
  const tell: Work['tell'] = (layer, state, bytes) => tellOf(layer, 'layer', onProgress)(state, bytes)
  return recompress(manifests, compression, { source, sink, tell, ...(signal ? { signal } : {}) })
}

function changesDigests(sink: ImageSink, reason: string): BuilderError {
  const hint = 'choose another transport or compression, or let digests change'
  const parts = { operation: 'copy image', object: sink.name, reason: `digests cannot be kept: ${reason}`, hint }
  return new BuilderError('UNSUPPORTED', parts)
}

function isPlain(sink: ImageSink, { format }: Compression): BuilderError {
  const reason = `it holds layers uncompressed, not as ${format}`
  const hint = 'leave the compression out, or write an oci-archive:'
  return new BuilderError('UNSUPPORTED', { operation: 'copy image', object: sink.name, reason, hint })
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

function planOf(
  source: ImageSource,
  found: readonly Found[],
  again: ImageSource['blob'],
  signal?: AbortSignal,
): CopyPlan {
  const images = found.flatMap(({ descriptor, value }) => (isIndex(value) ? [] : [{ descriptor, manifest: value }]))
  const configs = images.map(({ manifest }) => manifest.config)
  const layers = images.flatMap(({ manifest }) => manifest.layers)
  // An index may also name what is neither a manifest nor an index; it is copied as it is.
  const others = found.flatMap(({ value }) => (isIndex(value) ? value.manifests.filter(isOther) : []))
  const blobs = new Map([...configs, ...layers, ...others].map((descriptor) => [descriptor.digest, descriptor]))
  const top = (found.at(-1) as Found).descriptor
  const manifests = found.map(({ descriptor }) => descriptor)
  const repositoriesWith = async (descriptor: Descriptor) => (await source.repositoriesWith?.(descriptor)) ?? []
  return { top, manifests, images, blobs: [...blobs.values()], repositoriesWith, again, ...(signal ? { signal } : {}) }
}

function isOther({ mediaType }: Descriptor): boolean {
  return !isManifestType(mediaType) && !isIndexType(mediaType)
}

/** What a blob is to the images of a plan. */
function kindsIn({ images }: CopyPlan): (descriptor: Descriptor) => CopyProgress['kind'] {
  const configs = new Set(images.map(({ manifest }) => manifest.config.digest))
  const layers = new Set(images.flatMap(({ manifest }) => manifest.layers.map(({ digest }) => digest)))
  return ({ digest }) => (configs.has(digest) ? 'config' : layers.has(digest) ? 'layer' : 'other')
}

/** Without bytes they are those that were told last. */
type Tell = (state: CopyProgress['state'], bytes?: number, retry?: Retry) => void

function tellOf({ digest, size: total }: Descriptor, kind: CopyProgress['kind'], listener: Listener): Tell {
  let last = 0
  return (state, bytes = last, retry) => {
    last = bytes
    listener({ digest, kind, bytes, total, state, ...(retry ? { retry } : {}) })
  }
}

type Listener = (progress: CopyProgress) => void

interface Watch {
  readonly stop: AbortSignal
  readonly tell: Tell
}

type Blobs = Pick<ImageSource, 'name' | 'blob'>

function copyBlob(source: Blobs, sink: ImageSink, descriptor: Descriptor, watch: Watch): Promise<void> {
  const retrying = (retry: Retry) => watch.tell('retrying', undefined, retry)
  return hearingRetries(retrying, () => moveBlob(source, sink, descriptor, watch)).catch((error) => {
    throw withPlace(error, source.name)
  })
}

/** What is wrong with a blob is told with the place that it came from: a sink knows only the blob. */
function withPlace(error: unknown, place: string): unknown {
  const isOfBlob = error instanceof BuilderError && ['DIGEST', 'INVALID', 'UNSAFE'].includes(error.code)
  if (!isOfBlob || error.message.includes(place)) return error
  const { code, operation, object, hint } = error
  const reason = `${operation} ${object}: ${error.reason}`
  const parts = { operation: 'copy image', object: place, reason, cause: error }
  return new BuilderError(code, { ...parts, ...(hint === undefined ? {} : { hint }) })
}

async function moveBlob(source: Blobs, sink: ImageSink, descriptor: Descriptor, { stop, tell }: Watch) {
  const { size: total } = descriptor
  if (await sink.hasBlob(descriptor)) return tell('exists', total)
  tell('copying', 0)
  const stream = await source.blob(descriptor)
  async function* counted() {
    let bytes = 0
    for await (const chunk of stream) {
      stopIfAborted(stop, source.name)
      bytes += chunk.length
      tell('copying', bytes)
      yield chunk
    }
    tell('finishing', bytes)
  }
  await sink.putBlob(descriptor, counted())
  tell('done', total)
}

function stopIfAborted(signal: AbortSignal | undefined, object: string): void {
  if (!signal?.aborted) return
  const cause = signal.reason
  throw new BuilderError('ABORTED', { operation: 'copy image', object, reason: 'stopped before it was done', cause })
}
