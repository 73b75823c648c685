import { mkdir, readFile as readBytes, readdir, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import { digestOf } from '../image/digest.js'
import { type Index, isIndex, parseManifest } from '../image/manifest.js'
import { withLock } from '../store/locks.js'
import type { Store } from '../store/store.js'
import { type Draft, draftBeside, draftWithin, writeDurably, writeNamed } from './draft.js'
import { once, readFile } from './file-stream.js'
import { blobFile, layoutSource } from './layout.js'
import { entryFor, indexBytes, layoutFile, withEntry } from './layout-index.js'
import { checkRef, type Location } from './location.js'
import type { ImageSink } from './sink.js'
import type { ImageSource } from './source.js'
import { directoryTree } from './tree.js'
import { broken, verify } from './verify.js'

/** `oci:path[:ref]`: an OCI image layout in a directory. */
export async function ociSource({ path, ref }: Location, name: string): Promise<ImageSource> {
  return layoutSource(await directoryTree(path, name), ref)
}

/**
 * Writes into an OCI image layout: a new one appears as a whole; in one that exists, blobs wait in a hidden folder
 * until index.json, replaced last, names them. Other refs stay, the same ref is replaced. Two writers of one layout
 * that use the same store take turns.
 */
export async function ociSink(store: Store, { path, ref }: Location, name: string): Promise<ImageSink> {
  if (ref !== undefined) checkRef(ref, name)
  const isThere = await checkTarget(path, name)
  const draft = await (isThere ? draftWithin(path, name) : draftBeside(path, name))
  const staged = new Set<string>()
  let top: Descriptor | undefined
  const put = async (descriptor: Descriptor, stream: AsyncIterable<Uint8Array>) => {
    const file = blobFile(descriptor)
    await writeDurably(join(draft.path, file), verify(stream, descriptor, name).stream, name)
    staged.add(file)
  }
  return {
    name,
    async begin(plan) {
      await mkdir(join(draft.path, 'blobs/sha256'), { recursive: true })
      top = plan.top
    },
    async hasBlob(descriptor) {
      return staged.has(blobFile(descriptor)) || (isThere && (await holds(path, descriptor)))
    },
    putBlob: put,
    async putStream(stream) {
      await mkdir(join(draft.path, 'blobs/sha256'), { recursive: true })
      const blob = await writeNamed(join(draft.path, 'blobs/sha256'), stream, name)
      staged.add(blobFile(blob))
      return blob
    },
    putManifest: (bytes, mediaType, digest) => put({ mediaType, digest, size: bytes.length }, once(bytes)),
    async finish() {
      if (!top) throw broken(name, 'nothing was written to it')
      const entry = entryFor(top, ref)
      if (!isThere) return finishNew(draft, entry, name)
      const lock = `layout-${digestOf(resolve(path)).slice(-16)}`
      await withLock(store, lock, () => finishInto(path, draft, staged, entry, name), { purpose: `writing ${name}` })
    },
    [Symbol.asyncDispose]: () => draft[Symbol.asyncDispose](),
  }
}

/** True for a layout or an empty directory, false when there is nothing. Throws `EXISTS` for anything else. */
async function checkTarget(path: string, name: string): Promise<boolean> {
  try {
    const entries = await readdir(path)
    if (entries.length === 0 || entries.includes('oci-layout')) return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return false
    if (code !== 'ENOTDIR') throw asBuilderError(error, 'write image', name)
  }
  const reason = 'it exists and is not an OCI image layout'
  throw new BuilderError('EXISTS', { operation: 'write image', object: name, reason, hint: 'name a new directory' })
}

/** A blob that lies in the layout counts only when it is whole. */
async function holds(path: string, descriptor: Descriptor): Promise<boolean> {
  try {
    for await (const _ of verify(readFile(join(path, blobFile(descriptor))), descriptor, path).stream);
    return true
  } catch {
    return false
  }
}

async function finishNew(draft: Draft, entry: Descriptor, name: string): Promise<void> {
  await writeDurably(join(draft.path, 'oci-layout'), once(Buffer.from(layoutFile)), name)
  await writeDurably(join(draft.path, 'index.json'), once(indexBytes(withEntry(undefined, entry))), name)
  await draft.publish()
}

async function finishInto(path: string, draft: Draft, staged: Set<string>, entry: Descriptor, name: string) {
  try {
    await mkdir(join(path, 'blobs/sha256'), { recursive: true })
    for (const file of staged) await rename(join(draft.path, file), join(path, file))
    const index = indexBytes(withEntry(await readIndex(path, name), entry))
    await writeDurably(join(draft.path, 'oci-layout'), once(Buffer.from(layoutFile)), name)
    await writeDurably(join(draft.path, 'index.json'), once(index), name)
    await rename(join(draft.path, 'oci-layout'), join(path, 'oci-layout'))
    await rename(join(draft.path, 'index.json'), join(path, 'index.json'))
    await rm(draft.path, { recursive: true })
  } catch (error) {
    throw asBuilderError(error, 'write image', name)
  }
}

async function readIndex(path: string, name: string): Promise<Index | undefined> {
  const bytes = await readBytes(join(path, 'index.json')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (!bytes) return undefined
  const index = parseManifest(bytes, `${name} index.json`)
  if (isIndex(index)) return index
  throw broken(name, 'index.json is not an index')
}
