import { BuilderError } from '../errors.js'
import { canonicalJson } from '../image/config.js'
import type { Descriptor } from '../image/descriptor.js'
import { type Digest, hexOf } from '../image/digest.js'
import type { Manifest } from '../image/manifest.js'
import type { Store } from '../store/store.js'
import { spool } from './archive.js'
import { onlyImage } from './docker-archive-writer.js'
import { engineName } from './docker-daemon.js'
import { beginUpload, type EngineUpload } from './docker-engine.js'
import { once, readRange } from './file-stream.js'
import { blobFile, nameAnnotations } from './layout.js'
import { layoutFile } from './layout-index.js'
import type { ImageSink } from './sink.js'
import { type TarStream, tarStream } from './tar-stream.js'
import { broken, collect, type Verified, verify, verifyBytes } from './verify.js'

/**
 * Loads an image into a container engine, as it comes and without a copy on this side. What is sent is an OCI layout with
 * docker's manifest.json beside it: an engine reads the one or the other. It makes the image when it has read the end,
 * so that a copy that stops before leaves none; it compares each layer with the configuration itself. Only layers in zstd,
 * which engines before 23 do not know, go uncompressed and through the store's `tmp`; the layout is then left out.
 */
export async function dockerDaemonSink(store: Store, rest: string, name: string): Promise<ImageSink> {
  const tag = engineName(rest, name)
  let load: Load | undefined
  const sent = new Set<Digest>()
  const begun = () => {
    if (load) return load
    throw broken(name, 'nothing was written to it')
  }
  const send = async (descriptor: Descriptor, stream: AsyncIterable<Uint8Array>) => {
    if (sent.has(descriptor.digest)) return
    const { body, answer } = begun().upload
    // An engine that has gone takes no more: what it said last is the error.
    if (body.destroyed) await answer
    const blob = verify(stream, descriptor, name)
    if (isZstd(descriptor)) await sendUncompressed(store, begun().tar, descriptor, blob, name)
    else await begun().tar.file(blobFile(descriptor), descriptor.size, blob.stream)
    sent.add(descriptor.digest)
  }
  return {
    name,
    concurrency: 1,
    async begin({ top, ...plan }) {
      const manifest = onlyImage({ top, ...plan }, name)
      load = await beginLoad({ top, manifest, tag }, name, plan.signal)
    },
    hasBlob: async ({ digest }) => sent.has(digest),
    putBlob: send,
    async putManifest(bytes, mediaType, digest) {
      const descriptor = { mediaType, digest, size: bytes.length }
      verifyBytes(bytes, descriptor, name)
      await send(descriptor, once(bytes))
    },
    finish: () => finishLoad(begun(), name),
    async [Symbol.asyncDispose]() {
      load?.upload.body.destroy()
      await load?.upload.answer.catch(() => {})
    },
  }
}

interface Wanted {
  readonly top: Descriptor
  readonly manifest: Manifest
  readonly tag: string
}

interface Load extends Wanted {
  readonly upload: EngineUpload
  readonly tar: TarStream
}

async function beginLoad(wanted: Wanted, name: string, signal: AbortSignal | undefined): Promise<Load> {
  const path = '/images/load?quiet=1'
  const call = { method: 'POST', path, name, operation: 'write image', ...(signal ? { signal } : {}) } as const
  const upload = beginUpload(call)
  const tar = tarStream(upload.body)
  for (const folder of ['blobs/', 'blobs/sha256/']) await tar.directory(folder)
  return { ...wanted, upload, tar }
}

function isZstd({ mediaType }: Descriptor): boolean {
  return mediaType.endsWith('zstd')
}

async function sendUncompressed(store: Store, tar: TarStream, layer: Descriptor, blob: Verified, name: string) {
  await using file = await spool(store, blob.stream, name)
  blob.assertWhole()
  const { size } = await file.stat()
  await tar.file(layerFile(layer), size, readRange(file, 0, size))
}

function layerFile(layer: Descriptor): string {
  return isZstd(layer) ? `${hexOf(layer.digest)}.tar` : blobFile(layer)
}

async function finishLoad({ top, manifest, tag, tar, upload }: Load, name: string): Promise<void> {
  const { digest, mediaType, size } = top
  const annotations = { [nameAnnotations[0]]: tag.slice(tag.lastIndexOf(':') + 1), [nameAnnotations[1]]: tag }
  const index = { schemaVersion: 2, manifests: [{ mediaType, digest, size, annotations }] }
  const saved = [{ Config: blobFile(manifest.config), RepoTags: [tag], Layers: manifest.layers.map(layerFile) }]
  const layout = { 'index.json': canonicalJson(index), 'oci-layout': layoutFile }
  const files = { ...(manifest.layers.some(isZstd) ? {} : layout), 'manifest.json': JSON.stringify(saved) }
  for (const [file, text] of Object.entries(files))
    await tar.file(file, Buffer.byteLength(text), once(Buffer.from(text)))
  await tar.end()
  const failure = errorIn((await collect(await upload.answer, answerLimit, name)).toString())
  if (failure === undefined) return
  const isOther = /invalid diffID/.test(failure)
  const parts = { operation: 'write image', object: name, reason: `the engine says: ${failure}` }
  throw new BuilderError(isOther ? 'DIGEST' : 'INVALID', parts)
}

/** The engine answers 200 before it has read anything, and then a line of JSON for each thing that happens. */
function errorIn(answer: string): string | undefined {
  for (const line of answer.split('\n'))
    try {
      const { error } = JSON.parse(line) as { error?: unknown }
      if (error !== undefined) return String(error)
    } catch {}
  return undefined
}

const answerLimit = 16 * 1024 * 1024
