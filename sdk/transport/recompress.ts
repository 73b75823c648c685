import { createHash } from 'node:crypto'
import { canonicalJson } from '../image/config.js'
import type { Descriptor } from '../image/descriptor.js'
import { type Digest, digestOf } from '../image/digest.js'
import { isIndex } from '../image/manifest.js'
import { untilAborted } from '../layer/abort.js'
import { decompress } from '../layer/compress.js'
import { checkLevel, compressBlocks, compressorVersion, defaultLevel } from '../layer/compress-blocks.js'
import type { Found } from './choose.js'
import { type Compression, layersToCompress, recompressed, typeIn } from './compression.js'
import { inParallel } from './parallel.js'
import type { ImageSink } from './sink.js'
import type { ImageSource } from './source.js'
import { verify } from './verify.js'

/** What a copy brings once its layers are compressed. */
export interface Recompressed {
  readonly manifests: readonly Found[]
  /** Blobs that the sink has been given already. */
  readonly sent: ReadonlySet<Digest>
  /** Opens a blob that the source does not have as it is. */
  readonly opened: ReadonlyMap<Digest, () => Promise<AsyncIterable<Uint8Array>>>
}

/** Who is told of a layer that is compressed: its bytes so far, of those in the source. */
export type Tell = (layer: Descriptor, state: 'copying' | 'done', bytes: number) => void

/** What compressing needs beside the image. */
export interface Work {
  readonly source: ImageSource
  readonly sink: ImageSink
  readonly signal?: AbortSignal
  readonly tell: Tell
}

/**
 * Compresses the layers of images, and writes manifests and indexes that name them. A sink that takes a blob without its
 * digest gets each layer while it is compressed; for any other a layer is compressed twice, first to know its digest
 * and size: that costs time but no place on a disk. What the source remembers is not compressed to know it.
 * Throws `UNSUPPORTED`, `USAGE`, `DIGEST`, and what source and sink throw.
 */
export async function recompress(
  manifests: readonly Found[],
  compression: Compression,
  work: Work,
): Promise<Recompressed> {
  const { format, level = defaultLevel[compression.format] } = compression
  checkLevel(format, level)
  const layers = new Map<Digest, Descriptor>()
  for (const { value } of manifests)
    for (const layer of isIndex(value) ? [] : layersToCompress(value, compression)) {
      typeIn(layer.mediaType, format)
      layers.set(layer.digest, layer)
    }
  const results = new Map<Digest, { digest: Digest; size: number }>()
  const opened = new Map<Digest, () => Promise<AsyncIterable<Uint8Array>>>()
  const sent = new Set<Digest>()
  const one = async (layer: Descriptor, stop: AbortSignal) => {
    const pack = async (onBytes?: (bytes: number) => void) =>
      compressBlocks(await plainLayer(work.source, layer, onBytes), { format, level })
    const { isSent, ...result } = await resultOf(layer, `${format}-${level}-v${compressorVersion}`, pack, work, stop)
    results.set(layer.digest, result)
    opened.set(result.digest, () => pack())
    if (isSent) sent.add(result.digest)
  }
  const limit = work.sink.concurrency ?? 4
  await inParallel([...layers.values()], one, { limit, ...(work.signal ? { signal: work.signal } : {}) })
  const change = (layer: Descriptor) => {
    const result = layers.has(layer.digest) ? results.get(layer.digest) : undefined
    return result ? recompressed(layer, format, result) : layer
  }
  return { manifests: rewritten(manifests, change), sent, opened }
}

type Pack = (onBytes?: (bytes: number) => void) => Promise<AsyncIterable<Uint8Array>>

/** A layer's tar, checked as it comes from the source. */
async function plainLayer(source: ImageSource, layer: Descriptor, onBytes: (bytes: number) => void = () => {}) {
  const { stream } = verify(await source.blob(layer), layer, source.name)
  async function* counted() {
    let bytes = 0
    for await (const chunk of stream) {
      bytes += chunk.length
      onBytes(bytes)
      yield chunk
    }
  }
  return decompress(counted())
}

/** Digest and size of a layer once it is compressed: remembered, or found out by sending or by counting it. */
async function resultOf(
  layer: Descriptor,
  kind: string,
  pack: Pack,
  { source, sink, tell }: Work,
  stop: AbortSignal,
): Promise<{ readonly digest: Digest; readonly size: number; readonly isSent: boolean }> {
  const known = source.compressed?.find(layer.digest, kind)
  if (known) return { ...known, isSent: false }
  tell(layer, 'copying', 0)
  const stream = untilAborted(await pack((bytes) => tell(layer, 'copying', bytes)), stop, 'copy image', source.name)
  const isSent = sink.putStream !== undefined
  const { digest, size } = sink.putStream ? await sink.putStream(stream, stop) : await count(stream)
  source.compressed?.note(layer.digest, kind, { digest, size })
  if (isSent) tell(layer, 'done', layer.size)
  return { digest, size, isSent }
}

async function count(stream: AsyncIterable<Uint8Array>): Promise<{ digest: Digest; size: number }> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of stream) {
    hash.update(chunk)
    size += chunk.length
  }
  return { digest: `sha256:${hash.digest('hex')}`, size }
}

/** Manifests with changed layers, and indexes with changed manifests; what does not change keeps its bytes. */
function rewritten(manifests: readonly Found[], change: (layer: Descriptor) => Descriptor): readonly Found[] {
  const changed = new Map<Digest, Descriptor>()
  return manifests.map((found) => {
    const { descriptor, value } = found
    const before = isIndex(value) ? value.manifests : value.layers
    const after = before.map(isIndex(value) ? (it) => ({ ...it, ...changed.get(it.digest) }) : change)
    if (after.every(({ digest }, i) => digest === before[i]?.digest)) return found
    const next = isIndex(value) ? { ...value, manifests: after } : { ...value, layers: after }
    const bytes = Buffer.from(canonicalJson(next))
    const place = { digest: digestOf(bytes), size: bytes.length }
    changed.set(descriptor.digest, { mediaType: descriptor.mediaType, ...place })
    return { bytes, value: next, descriptor: { ...descriptor, ...place } }
  })
}
