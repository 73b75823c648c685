import { BuilderError } from '../errors.js'
import { type Descriptor, mediaTypes } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { type Manifest, manifestSizeLimit } from '../image/manifest.js'
import { hasBlob, ingestBlob, readBlob, streamBlob } from '../store/blobs.js'
import { collect } from '../store/collect.js'
import { addImage } from '../store/images.js'
import { hasLayer } from '../store/layers.js'
import { acquireLock, type HeldLock, tryLock } from '../store/locks.js'
import type { Store } from '../store/store.js'
import { diffIDsOf } from './diff-ids.js'
import type { CopyPlan, ImageSink } from './sink.js'
import { keepBlob, unpackLayer } from './unpack.js'
import { verifyBytes } from './verify.js'

/**
 * Brings an image into the store under some names, or none. Blobs are kept as they came, so that a push later keeps
 * their digests; layers are unpacked beside each other, each while its blob arrives, and those that the store has
 * are not unpacked again. Run it inside the namespace. The image shows at the end; when it fails before, blobs and
 * layers that came with it and that nothing else needs are removed.
 */
export async function localSink(store: Store, names: readonly string[], name: string): Promise<ImageSink> {
  let held: HeldLock | undefined
  let work: Import | undefined
  let isFinished = false
  return {
    name,
    async begin(plan) {
      const manifest = onlyImage(plan, name)
      held = await acquireLock(store, 'store', { shared: true, purpose: `copy to ${name}` })
      work = newImport(store, manifest, name, plan.signal)
    },
    hasBlob: async (descriptor) => begun(work, name).has(descriptor),
    putBlob: (descriptor, stream) => begun(work, name).put(descriptor, stream),
    async putManifest(bytes, mediaType, digest) {
      verifyBytes(bytes, { mediaType, digest, size: bytes.length }, name)
      begun(work, name).manifest = bytes
    },
    async finish() {
      const bytes = begun(work, name).manifest
      if (!bytes) throw invalid(name, 'its manifest never came')
      await addImage(store, bytes, names)
      isFinished = true
    },
    async [Symbol.asyncDispose]() {
      held?.release()
      if (work && !isFinished) await forget(store, work, name)
    },
  }
}

/** What one copy has brought so far. */
interface Import {
  manifest: Uint8Array | undefined
  readonly blobs: Digest[]
  readonly layers: Digest[]
  has(descriptor: Descriptor): Promise<boolean>
  put(descriptor: Descriptor, stream: AsyncIterable<Uint8Array>): Promise<void>
}

function newImport(store: Store, { config, layers }: Manifest, name: string, signal: AbortSignal | undefined): Import {
  const brought: { blobs: Digest[]; layers: Digest[] } = { blobs: [], layers: [] }
  const stop = signal ? { signal } : {}
  let diffIDs: readonly Digest[] = []
  const diffIDOf = ({ digest }: Descriptor) => diffIDs[layers.findIndex((layer) => layer.digest === digest)]
  const readConfig = async () => {
    const bytes = await readBlob(store, config.digest, manifestSizeLimit)
    diffIDs = diffIDsOf(bytes, layers, name)
  }
  const arrive = async (blob: Descriptor, diffID: Digest, stream: AsyncIterable<Uint8Array>) => {
    if (!hasBlob(store, blob.digest)) brought.blobs.push(blob.digest)
    const arrival = { blob, diffID, stream, ...stop }
    if (hasLayer(store, diffID)) return keepBlob(store, arrival)
    brought.layers.push(diffID)
    await unpackLayer(store, arrival)
  }
  return {
    ...brought,
    manifest: undefined,
    async has(descriptor) {
      const { digest, size } = descriptor
      const isThere = hasBlob(store, digest, size)
      if (digest === config.digest) return isThere && readConfig().then(() => true, isDamaged)
      const diffID = diffIDOf(descriptor)
      if (diffID === undefined) return false
      if (hasLayer(store, diffID)) return isThere || diffID === digest
      // Its blob is here, its files are not: nothing needs to come from outside.
      return isThere && arrive(descriptor, diffID, streamBlob(store, digest, signal)).then(() => true, isDamaged)
    },
    async put(descriptor, stream) {
      const { digest, size } = descriptor
      if (digest === config.digest) {
        if (!hasBlob(store, digest)) brought.blobs.push(digest)
        await ingestBlob(store, stream, { digest, size, ...stop })
        return readConfig()
      }
      const diffID = diffIDOf(descriptor)
      if (diffID === undefined) throw invalid(name, `blob ${digest} is not a layer of the image`)
      await arrive(descriptor, diffID, stream)
    },
  }
}

/** A blob that was altered in the store is put again. */
function isDamaged(error: unknown): false {
  if (error instanceof BuilderError && error.code === 'DIGEST') return false
  throw error
}

/** Throws `UNSUPPORTED` for what is not the image of one platform with layers that can be unpacked. */
function onlyImage({ images, manifests }: CopyPlan, name: string): Manifest {
  const [image] = images
  if (!image || images.length !== 1 || manifests.length !== 1)
    throw unsupported(name, 'the store takes the image of one platform at a time', 'choose one with --platform')
  const { config, layers } = image.manifest
  if (config.mediaType !== mediaTypes.config && config.mediaType !== mediaTypes.dockerConfig)
    throw unsupported(name, `it is an artifact of type ${config.mediaType}, not a container image`)
  for (const { mediaType, digest, urls } of layers) {
    if (foreignType.test(mediaType) || urls?.length)
      throw unsupported(name, `layer ${digest} is foreign: it is not in the image, but at ${urls?.[0] ?? 'no address'}`)
    if (!layerType.test(mediaType)) throw unsupported(name, `layer ${digest} is of the unknown type ${mediaType}`)
  }
  return image.manifest
}

const foreignType = /nondistributable|foreign/
const layerType = /^application\/vnd\.(oci\.image\.layer\.v1|docker\.image\.rootfs\.diff)\.tar([.+](gzip|zstd))?$/

/** Removes what came with an image that did not; what is in use elsewhere, or right now, stays for `builder prune`. */
async function forget(store: Store, { blobs, layers }: Import, name: string): Promise<void> {
  const lock = tryLock(store, 'store', { purpose: `clean up after ${name}` })
  if (!lock) return
  try {
    await collect(store, { blobs, layers })
  } finally {
    lock.release()
  }
}

function begun(work: Import | undefined, name: string): Import {
  if (work) return work
  throw invalid(name, 'the copy has not begun')
}

function invalid(object: string, reason: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'copy image', object, reason })
}

function unsupported(object: string, reason: string, hint?: string): BuilderError {
  return new BuilderError('UNSUPPORTED', { operation: 'copy image', object, reason, ...(hint ? { hint } : {}) })
}
