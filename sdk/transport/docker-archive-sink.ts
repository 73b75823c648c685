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
import type { Location } from './location.js'
import type { CopyPlan, ImageSink } from './sink.js'
import { broken, collect, verify } from './verify.js'

/**
 * Writes `docker-archive:file[:name:tag]` as docker, podman and skopeo load it: layers uncompressed, in their order,
 * as `<diffID>.tar`, the configuration unchanged as `<hex>.json`, and manifest.json. One image an archive: a file that
 * exists is `EXISTS`. Layers come one at a time, for only its end tells the size of an uncompressed one.
 */
export async function dockerArchiveSink(store: Store, { path, ref }: Location, name: string): Promise<ImageSink> {
  const tags = ref === undefined ? null : [archiveName(ref, name)]
  if (((await stat(path).catch(() => undefined))?.size ?? 0) > 0) throw taken(name)
  const archive = await createArchive(store, path, name)
  const written = new Set<Digest>()
  let image: Manifest | undefined
  let config: Uint8Array = new Uint8Array()
  let diffIDs: readonly Digest[] = []
  const diffIDOf = ({ digest }: Descriptor) => diffIDs[image?.layers.findIndex((it) => it.digest === digest) ?? -1]
  const append = async (descriptor: Descriptor, stream: AsyncIterable<Uint8Array>) => {
    const diffID = diffIDOf(descriptor)
    if (diffID === undefined) throw broken(name, `blob ${descriptor.digest} is not a layer of the image`)
    await archive.append(`${hexOf(diffID)}.tar`, uncompressed(descriptor, stream, diffID, name))
    written.add(diffID)
  }
  return {
    name,
    concurrency: 1,
    async begin(plan) {
      image = onlyImage(plan, name)
    },
    hasBlob: async (descriptor) => written.has(diffIDOf(descriptor) ?? descriptor.digest),
    async putBlob(descriptor, stream) {
      if (descriptor.digest !== image?.config.digest) return append(descriptor, stream)
      config = await collect(verify(stream, descriptor, name).stream, manifestSizeLimit, name)
      diffIDs = diffIDsOf(config, image.layers, name)
    },
    async putManifest() {},
    async finish() {
      if (!image) throw broken(name, 'nothing was written to it')
      const Config = `${hexOf(image.config.digest)}.json`
      const list = [{ Config, RepoTags: tags, Layers: diffIDs.map((diffID) => `${hexOf(diffID)}.tar`) }]
      await archive.append(Config, once(config))
      await archive.append('manifest.json', once(Buffer.from(JSON.stringify(list))))
      await archive.finish({ replace: false })
    },
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  }
}

function onlyImage({ images, manifests }: CopyPlan, name: string): Manifest {
  const [image] = images
  if (image && images.length === 1 && manifests.length === 1) return image.manifest
  const reason = 'a docker archive holds the image of one platform'
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
