import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { type Digest, digestOf, hexOf } from '../image/digest.js'
import { manifestSizeLimit, parseManifest } from '../image/manifest.js'
import { draftBeside, writeDurably, writeNamed } from './draft.js'
import { once } from './file-stream.js'
import type { ImageSink } from './sink.js'
import type { ImageSource } from './source.js'
import { directoryTree, readWhole } from './tree.js'
import { verify, verifyBytes } from './verify.js'

/**
 * `dir:path`: skopeo's directory of loose files: `manifest.json`, other manifests as `<hex>.manifest.json`, every blob
 * as `<hex>`, and `version`. The path is all that follows `dir:`, colons too.
 */
export async function dirSource(path: string, name: string): Promise<ImageSource> {
  const tree = await directoryTree(path, name)
  return {
    name,
    async top() {
      const bytes = await readWhole(tree, 'manifest.json', manifestSizeLimit)
      return { bytes, mediaType: parseManifest(bytes, name).mediaType, digest: digestOf(bytes) }
    },
    async manifest(descriptor) {
      const bytes = await readWhole(tree, manifestFile(descriptor.digest), manifestSizeLimit)
      verifyBytes(bytes, descriptor, name)
      return bytes
    },
    blob: ({ digest }) => tree.stream(hexOf(digest)),
    [Symbol.asyncDispose]: () => tree[Symbol.asyncDispose](),
  }
}

/** Writes such a directory. An empty one, or one that holds such an image, is replaced as a whole; no other is. */
export async function dirSink(path: string, name: string): Promise<ImageSink> {
  const exchange = await holdsImage(path, name)
  const draft = await draftBeside(path, name)
  const done = new Set<string>()
  const put = async (file: string, stream: AsyncIterable<Uint8Array>) => {
    await writeDurably(join(draft.path, file), stream, name)
    done.add(file)
  }
  return {
    name,
    async begin() {
      await put('version', once(Buffer.from(version)))
    },
    hasBlob: async ({ digest }) => done.has(hexOf(digest)),
    putBlob: (descriptor, stream) => put(hexOf(descriptor.digest), verify(stream, descriptor, name).stream),
    async putStream(stream) {
      const blob = await writeNamed(draft.path, stream, name)
      done.add(hexOf(blob.digest))
      return blob
    },
    async putManifest(bytes, mediaType, digest, { top }) {
      verifyBytes(bytes, { mediaType, digest, size: bytes.length }, name)
      await put(top ? 'manifest.json' : manifestFile(digest), once(bytes))
    },
    finish: () => draft.publish({ exchange }),
    [Symbol.asyncDispose]: () => draft[Symbol.asyncDispose](),
  }
}

const version = 'Directory Transport Version: 1.1\n'

function manifestFile(digest: Digest): string {
  return `${hexOf(digest)}.manifest.json`
}

async function holdsImage(path: string, name: string): Promise<boolean> {
  const entries = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    if (error.code === 'ENOTDIR') return ['']
    throw asBuilderError(error, 'write image', name)
  })
  if (entries.length === 0) return false
  if (entries.includes('version') && entries.every((entry) => imageFile.test(entry))) return true
  const reason = 'it exists and holds other things than such an image'
  throw new BuilderError('EXISTS', { operation: 'write image', object: name, reason, hint: 'name a new directory' })
}

const imageFile = /^(version|manifest\.json|[a-f0-9]{64}(\.manifest\.json)?|signature-\d+|[a-f0-9]{64}\.signature-\d+)$/
