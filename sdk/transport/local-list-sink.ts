import { BuilderError } from '../errors.js'
import { parseConfig } from '../image/config.js'
import { type Descriptor, isIndexType } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { isContainerImage } from '../image/manifest.js'
import { localName } from '../image/reference.js'
import { blobPath, hasBlob, ingestBlob, putBlob, readBlob, streamBlob } from '../store/blobs.js'
import { collect } from '../store/collect.js'
import { editEntries, entryFor, nameOf, readEntries, withName } from '../store/index-file.js'
import { absorb } from '../store/lists.js'
import { acquireLock, type HeldLock, tryLock } from '../store/locks.js'
import type { Store } from '../store/store.js'
import { localSink } from './local-sink.js'
import type { CopyPlan, ImageSink, PlannedImage } from './sink.js'
import { verifyBytes } from './verify.js'

/**
 * Brings a list with all its images into the store under some names, or none; a single image as {@link localSink} does.
 * Every image is unpacked and checked as if it came alone; a layer that several have comes once. Signatures and other
 * artifacts of the list are kept as they are. The list shows at the end; when it fails before, what came with it goes.
 * Run it inside the namespace.
 */
export async function localListSink(store: Store, names: readonly string[], name: string): Promise<ImageSink> {
  let work: ImageSink | undefined
  const begun = () => {
    if (work) return work
    throw new BuilderError('INVALID', { operation: 'copy image', object: name, reason: 'the copy has not begun' })
  }
  return {
    name,
    async begin(plan) {
      const isAlone = !isIndexType(plan.top.mediaType)
      work = isAlone ? await localSink(store, names, name) : await newImport(store, names.map(localName), name, plan)
      await work.begin(plan)
    },
    hasBlob: (descriptor) => begun().hasBlob(descriptor),
    putBlob: (descriptor, stream) => begun().putBlob(descriptor, stream),
    putManifest: (...manifest) => begun().putManifest(...manifest),
    finish: () => begun().finish(),
    [Symbol.asyncDispose]: async () => work?.[Symbol.asyncDispose](),
  }
}

/** One image of the list and the sink that takes it. */
interface Part {
  readonly image: PlannedImage
  readonly blobs: ReadonlySet<Digest>
  readonly sink: ImageSink
}

async function newImport(store: Store, names: readonly string[], name: string, plan: CopyPlan): Promise<ImageSink> {
  const lock = await acquireLock(store, 'store', { shared: true, purpose: `copy to ${name}` })
  const before = new Set(readEntries(store).map(({ digest }) => digest))
  const parts: Part[] = []
  const partsOf = (digest: Digest) => parts.filter(({ blobs }) => blobs.has(digest))
  let isFinished = false
  return {
    name,
    async begin() {
      for (const image of plan.images)
        if (isContainerImage(image.manifest)) parts.push(await beginPart(store, image, name, plan))
    },
    async hasBlob(descriptor) {
      const users = partsOf(descriptor.digest)
      if (users.length === 0) return hasBlob(store, descriptor.digest, descriptor.size)
      return (await lacking(users, descriptor)).length === 0
    },
    async putBlob(descriptor, stream) {
      const [first, ...others] = await lacking(partsOf(descriptor.digest), descriptor)
      if (!first) return keep(store, descriptor, stream, plan)
      await first.sink.putBlob(descriptor, stream)
      // A second image may claim another diffID for the same bytes: then its own check has to see them.
      for (const { sink } of await lacking(others, descriptor))
        await sink.putBlob(descriptor, streamBlob(store, descriptor.digest, plan.signal))
    },
    async putManifest(bytes, mediaType, digest) {
      verifyBytes(bytes, { mediaType, digest, size: bytes.length }, name)
      const part = parts.find(({ image }) => image.descriptor.digest === digest)
      if (part) return part.sink.putManifest(bytes, mediaType, digest, { top: true })
      await putBlob(store, bytes)
    },
    async finish() {
      for (const { sink } of parts) await sink.finish()
      const members = plan.images.map(({ descriptor }) => descriptor.digest)
      await show(store, plan.top, names)
      await absorb(
        store,
        members.filter((digest) => !before.has(digest)),
      )
      isFinished = true
    },
    async [Symbol.asyncDispose]() {
      for (const { sink } of parts) await sink[Symbol.asyncDispose]()
      await release(store, lock, isFinished ? undefined : { plan, before, name })
    },
  }
}

async function beginPart(store: Store, image: PlannedImage, name: string, plan: CopyPlan): Promise<Part> {
  const { descriptor, manifest } = image
  const all = new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob]))
  const sink = await localSink(store, [], name)
  const own = { top: descriptor, manifests: [descriptor], images: [image], blobs: [...all.values()] }
  await sink.begin({ ...own, ...(plan.signal ? { signal: plan.signal } : {}) })
  return { image, blobs: new Set(all.keys()), sink }
}

async function lacking(parts: readonly Part[], descriptor: Descriptor): Promise<readonly Part[]> {
  const answers = await Promise.all(parts.map(async (part) => ((await part.sink.hasBlob(descriptor)) ? [] : [part])))
  return answers.flat()
}

/** What belongs to no image: a part of an artifact. */
async function keep(store: Store, { digest, size }: Descriptor, stream: AsyncIterable<Uint8Array>, plan: CopyPlan) {
  await ingestBlob(store, stream, { digest, size, ...(plan.signal ? { signal: plan.signal } : {}) })
}

async function show(store: Store, top: Descriptor, names: readonly string[]): Promise<void> {
  const { mediaType, digest, size } = top
  const list = { mediaType, digest, size }
  await editEntries(store, `add list ${names[0] ?? ''}`, (entries) => {
    if (names.length > 0) return names.reduce((all, one) => withName(all, list, one), entries)
    return entries.some((entry) => entry.digest === digest) ? entries : [...entries, entryFor(list)]
  })
}

interface Failed {
  readonly plan: CopyPlan
  /** What index.json named when the copy began. */
  readonly before: ReadonlySet<Digest>
  readonly name: string
}

/** What is in use elsewhere, or right now, stays for `builder prune`. */
async function release(store: Store, held: HeldLock, failed: Failed | undefined): Promise<void> {
  if (!failed) return held.release()
  const { plan, before, name } = failed
  const isNew = (entry: Descriptor) => nameOf(entry) === undefined && !before.has(entry.digest)
  const brought = new Set(plan.manifests.map(({ digest }) => digest))
  await editEntries(store, `clean up after ${name}`, (all) =>
    all.filter((it) => !(isNew(it) && brought.has(it.digest))),
  )
  held.release()
  const lock = tryLock(store, 'store', { purpose: `clean up after ${name}` })
  if (!lock) return
  try {
    const blobs = [...plan.manifests, ...plan.blobs].map(({ digest }) => digest)
    const layers = await layersOf(store, plan)
    await collect(store, { blobs: [...blobs, ...layers], layers })
  } finally {
    lock.release()
  }
}

/** The layers that the configurations name which have come. */
async function layersOf(store: Store, { images }: CopyPlan): Promise<readonly Digest[]> {
  const found: Digest[] = []
  for (const { manifest } of images)
    try {
      const { digest } = manifest.config
      found.push(...parseConfig(await readBlob(store, digest), blobPath(store, digest)).rootfs.diff_ids)
    } catch {
      // It never came, or is what the copy failed for.
    }
  return found
}
