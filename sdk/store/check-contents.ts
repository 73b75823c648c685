import { createHash } from 'node:crypto'
import { asBuilderError } from '../errors.js'
import type { Digest } from '../image/digest.js'
import { applyLayer } from '../layer/apply.js'
import { decompress } from '../layer/compress.js'
import { packLayer } from '../layer/pack.js'
import { blobPath, hasBlob, listBlobs, streamBlob } from './blobs.js'
import { beginLayer, type LayerRecord, layerDiff, listLayers, packOptions, readLayer } from './layers.js'
import type { Image } from './read-image.js'
import type { Store } from './store.js'

/** Hashes every blob. */
export async function checkBlobContents(store: Store, problems: string[], signal?: AbortSignal): Promise<void> {
  for (const digest of await listBlobs(store)) {
    const hash = createHash('sha256')
    for await (const chunk of streamBlob(store, digest, signal)) hash.update(chunk)
    const got = hash.digest('hex')
    if (!digest.endsWith(got))
      problems.push(`blob ${blobPath(store, digest)}: it was altered, its digest is sha256:${got}`)
  }
}

/**
 * Packs every layer again. One that builder packed gives its diffID; one that came in an archive need not, for another
 * tool may order entries in another way: then its blob is unpacked once more, and both must pack to the same bytes.
 */
export async function checkLayerContents(
  store: Store,
  images: readonly Image[],
  problems: string[],
  signal?: AbortSignal,
): Promise<void> {
  const blobs = blobsOf(store, images)
  for (const diffID of await listLayers(store)) {
    signal?.throwIfAborted()
    try {
      const record = await readLayer(store, diffID)
      const { diffID: got } = await packLayer(layerDiff(store, diffID), pack(record, signal))
      const blob = blobs.get(diffID)
      if (got === diffID || (blob && got === (await unpackedAgain(store, record, blob, signal)))) continue
      problems.push(`layer ${diffID}: the files under ${layerDiff(store, diffID)} were altered`)
    } catch (error) {
      if (signal?.aborted) throw error
      problems.push(`layer ${diffID}: ${asBuilderError(error, 'check').message}`)
    }
  }
}

/** The blob that each layer came in, as far as the store still has it. */
function blobsOf(store: Store, images: readonly Image[]): ReadonlyMap<Digest, Digest> {
  const pairs = images.flatMap(({ manifest, config }) =>
    manifest.layers.map(({ digest }, i) => [config.rootfs.diff_ids[i] as Digest, digest] as const),
  )
  return new Map(pairs.filter(([, digest]) => hasBlob(store, digest)))
}

async function unpackedAgain(store: Store, record: LayerRecord, blob: Digest, signal?: AbortSignal): Promise<Digest> {
  await using layer = await beginLayer(store)
  await applyLayer(decompress(streamBlob(store, blob, signal)), layer.diff, signal ? { signal } : {})
  return (await packLayer(layer.diff, pack(record, signal))).diffID
}

function pack(record: LayerRecord, signal?: AbortSignal) {
  return { ...packOptions(record), ...(signal ? { signal } : {}) }
}
