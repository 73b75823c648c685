import { stat } from 'node:fs/promises'
import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { isArchive } from '../layer/archive.js'
import type { Store } from '../store/store.js'
import { openArchive } from './archive.js'
import { type ArchiveFile, createArchive, type Slot } from './archive-file.js'
import { once } from './file-stream.js'
import { blobFile, layoutSource } from './layout.js'
import { entryFor, indexBytes, layoutFile, withEntry } from './layout-index.js'
import { checkRef, type Location } from './location.js'
import type { CopyPlan, ImageSink } from './sink.js'
import type { ImageSource } from './source.js'
import { verify } from './verify.js'

/** `oci-archive:file[:ref]`: a tar archive of an OCI image layout, plain or compressed. */
export async function ociArchiveSource(store: Store, { path, ref }: Location, name: string): Promise<ImageSource> {
  const archive = await openArchive(store, path, name)
  try {
    return await layoutSource(archive, ref)
  } catch (error) {
    await archive[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * Writes an OCI archive in one pass: the plan says every size, so every blob has its place, names sorted, before the
 * first one comes, and equal images give equal archives. An archive that exists is replaced; throws `EXISTS` for any other
 * file, which a slip of the pen must not cost.
 */
export async function ociArchiveSink(store: Store, { path, ref }: Location, name: string): Promise<ImageSink> {
  if (ref !== undefined) checkRef(ref, name)
  await refuseOtherFile(path, name)
  const archive = await createArchive(store, path, name)
  let top: Descriptor | undefined
  let slots: ReadonlyMap<Digest, Slot> = new Map()
  const filled = new Set<Digest>()
  const put = async (descriptor: Descriptor, stream: AsyncIterable<Uint8Array>) => {
    const slot = slots.get(descriptor.digest)
    if (!slot) throw unplanned(name, descriptor.digest)
    await slot.fill(verify(stream, descriptor, name).stream)
    filled.add(descriptor.digest)
  }
  return {
    name,
    async begin(plan) {
      top = plan.top
      slots = await reserve(archive, plan)
    },
    hasBlob: async ({ digest }) => filled.has(digest),
    putBlob: put,
    putManifest: (bytes, mediaType, digest) => put({ mediaType, digest, size: bytes.length }, once(bytes)),
    async finish() {
      const absent = [...slots.keys()].find((digest) => !filled.has(digest))
      if (!top || absent) throw unplanned(name, absent ?? 'of the top', 'never came')
      const index = indexBytes(withEntry(undefined, entryFor(top, ref)))
      await archive.append('index.json', once(index))
      await archive.append('oci-layout', once(Buffer.from(layoutFile)))
      await archive.finish({ replace: true })
    },
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  }
}

async function refuseOtherFile(path: string, name: string): Promise<void> {
  const there = await stat(path).catch(() => undefined)
  if (!there?.isFile() || there.size === 0 || (await isArchive(path))) return
  const hint = 'name another file, or remove this one first'
  throw new BuilderError('EXISTS', {
    operation: 'write image',
    object: name,
    reason: 'a file that is no archive is there',
    hint,
  })
}

async function reserve(archive: ArchiveFile, { manifests, blobs }: CopyPlan): Promise<Map<Digest, Slot>> {
  const all = new Map([...manifests, ...blobs].map((descriptor) => [descriptor.digest, descriptor.size]))
  await archive.directory('blobs/')
  await archive.directory('blobs/sha256/')
  return new Map([...all].sort().map(([digest, size]) => [digest, archive.reserve(blobFile({ digest }), size)]))
}

function unplanned(object: string, digest: string, reason = 'is not part of the image'): BuilderError {
  return new BuilderError('INVALID', { operation: 'write image', object, reason: `blob ${digest} ${reason}` })
}
