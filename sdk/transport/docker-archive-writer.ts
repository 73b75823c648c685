import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import { type Digest, hexOf } from '../image/digest.js'
import { type Manifest, manifestSizeLimit } from '../image/manifest.js'
import { decompress } from '../layer/compress.js'
import type { Store } from '../store/store.js'
import { createArchive, taken } from './archive-file.js'
import { diffIDsOf } from './diff-ids.js'
import { archiveName } from './docker-archive.js'
import { once } from './file-stream.js'
import type { CopyPlan, ImageSink } from './sink.js'
import { broken, collect, verify } from './verify.js'

/** A docker archive that takes images one after the other, and shows when it is finished. */
export interface DockerArchive extends AsyncDisposable {
  /** A place for one more image under some names, or none; a name that an earlier image has goes over to it. */
  image(names: readonly string[]): ImageSink
  /** Ends the archive and gives it its name. Throws `EXISTS`, and `INVALID` when no image came. */
  finish(): Promise<void>
}

/**
 * Starts an archive of several images as docker, podman and skopeo load it: layers uncompressed, in their order, as
 * `<diffID>.tar`, one that several images have once; configurations unchanged as `<hex>.json`; manifest.json. Layers come
 * one at a time, for only its end tells the size of an uncompressed one. Throws `EXISTS`, `NOT_FOUND`.
 *
 * @example
 * ```ts
 * import { openStore } from '../store/store.js'
 * import { copyImage, dockerArchive, openSource } from './transport.js'
 * const store = await openStore()
 * await using archive = await dockerArchive(store, 'both.tar')
 * for (const name of ['web', 'db']) {
 *   await using source = await openSource(store, name)
 *   await using sink = archive.image([name])
 *   await copyImage(source, sink)
 * }
 * await archive.finish()
 * ```
 */
export async function dockerArchive(
  store: Store,
  path: string,
  name = `docker-archive:${path}`,
): Promise<DockerArchive> {
  if (((await stat(path).catch(() => undefined))?.size ?? 0) > 0) throw taken(name)
  const file = await createArchive(store, path, name)
  const written = new Set<string>()
  const images: Saved[] = []
  const append = async (path: string, stream: AsyncIterable<Uint8Array>) => {
    if (!written.has(path)) await file.append(path, stream)
    written.add(path)
  }
  return {
    image: (names) => imageSink({ append, written, images }, names, name),
    async finish() {
      if (images.length === 0) throw broken(name, 'nothing was written to it')
      await append('manifest.json', once(Buffer.from(JSON.stringify(images.map(listed)))))
      await file.finish({ replace: false })
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

interface Saved {
  readonly config: string
  tags: readonly string[]
  readonly layers: readonly string[]
}

interface Parts {
  readonly append: (path: string, stream: AsyncIterable<Uint8Array>) => Promise<void>
  /** Names of what is in the archive already. */
  readonly written: ReadonlySet<string>
  readonly images: Saved[]
}

function imageSink({ append, written, images }: Parts, names: readonly string[], name: string): ImageSink {
  const tags = names.map((it) => archiveName(it, name))
  let image: Manifest | undefined
  let config: Uint8Array = new Uint8Array()
  let diffIDs: readonly Digest[] = []
  const diffIDOf = ({ digest }: Descriptor) => diffIDs[image?.layers.findIndex((it) => it.digest === digest) ?? -1]
  return {
    name,
    concurrency: 1,
    isPlain: true,
    async begin(plan) {
      image = onlyImage(plan, name)
    },
    async hasBlob(descriptor) {
      const diffID = diffIDOf(descriptor)
      return diffID !== undefined && written.has(layerFile(diffID))
    },
    async putBlob(descriptor, stream) {
      if (descriptor.digest === image?.config.digest) {
        config = await collect(verify(stream, descriptor, name).stream, manifestSizeLimit, name)
        diffIDs = diffIDsOf(config, image.layers, name)
        return
      }
      const diffID = diffIDOf(descriptor)
      if (diffID === undefined) throw broken(name, `blob ${descriptor.digest} is not a layer of the image`)
      await append(layerFile(diffID), uncompressed(descriptor, stream, diffID, name))
    },
    async putManifest() {},
    async finish() {
      if (!image) throw broken(name, 'nothing was written to it')
      const file = `${hexOf(image.config.digest)}.json`
      await append(file, once(config))
      enter(images, { config: file, tags, layers: diffIDs.map(layerFile) })
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** An image that is there already only gets more names. */
function enter(images: Saved[], added: Saved): void {
  for (const image of images) image.tags = image.tags.filter((tag) => !added.tags.includes(tag))
  const same = images.find(({ config }) => config === added.config)
  if (same) same.tags = [...same.tags, ...added.tags]
  else images.push(added)
}

/** `docker load` wants null, not an empty list, where there are no names. */
function listed({ config, tags, layers }: Saved) {
  return { Config: config, RepoTags: tags.length > 0 ? tags : null, Layers: layers }
}

function layerFile(diffID: Digest): string {
  return `${hexOf(diffID)}.tar`
}

/** The image of one platform, which is all that docker's format holds. Throws `UNSUPPORTED`. */
export function onlyImage({ images, manifests }: CopyPlan, name: string): Manifest {
  const [image] = images
  if (image && images.length === 1 && manifests.length === 1) return image.manifest
  const reason = 'it holds the image of one platform at a time'
  const hint = 'choose one with --platform'
  throw new BuilderError('UNSUPPORTED', { operation: 'write image', object: name, reason, hint })
}

/** The layer's tar. Both the blob's digest and the tar's diffID are checked at its end, before the archive shows. */
async function* uncompressed(
  descriptor: Descriptor,
  stream: AsyncIterable<Uint8Array>,
  diffID: Digest,
  name: string,
): AsyncGenerator<Uint8Array> {
  const blob = verify(stream, descriptor, name)
  const hash = createHash('sha256')
  for await (const chunk of decompress(blob.stream)) {
    hash.update(chunk)
    yield chunk
  }
  blob.assertWhole()
  const found = `sha256:${hash.digest('hex')}`
  if (found === diffID) return
  const reason = `layer ${descriptor.digest} has the diffID ${found}, its configuration says ${diffID}`
  throw new BuilderError('DIGEST', { operation: 'write image', object: name, reason })
}
