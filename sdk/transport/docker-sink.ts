import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { type OpenOptions, openAt } from './docker-source.js'
import type { RegistryClient } from './registry/client.js'
import { requestHost } from './registry/docker-hub.js'
import type { DockerName } from './registry/docker-name.js'
import { pushEndpointFor } from './registry/endpoints.js'
import { type Answer, discard } from './registry/exchange.js'
import { putManifest } from './registry/manifests.js'
import { recordReferrer } from './registry/referrers.js'
import { hasBlob, uploadStream } from './registry/upload.js'
import { uploadKnown } from './registry/upload-known.js'
import type { CopyPlan, ImageSink } from './sink.js'
import type { Top } from './source.js'
import { broken, verify, verifyBytes } from './verify.js'

/**
 * Writes to `docker://registry/repository:tag`. Blobs that the repository has are not sent, and those of another repository
 * of the same registry are mounted. The manifest gets its tag at the end: nothing can be pulled by name before.
 */
export async function dockerSink(image: DockerName, name: string, options: OpenOptions = {}): Promise<ImageSink> {
  const client = await openAt(await pushEndpointFor(image, options.registry ?? {}), options)
  const task = { operation: 'write image', object: name }
  const uploads = new Map<string, Answer>()
  let plan: CopyPlan | undefined
  let top: Top | undefined
  return {
    name,
    async begin(given) {
      plan = given
      if (image.digest !== undefined && image.digest !== given.top.digest)
        throw otherDigest(name, image.digest, given.top)
    },
    async hasBlob(descriptor) {
      if (await hasBlob(client, descriptor.digest, task)) return true
      const mounted = await mount(client, descriptor, plan, name)
      if (mounted instanceof Object) uploads.set(descriptor.digest, mounted)
      return mounted === true
    },
    async putBlob(descriptor, stream) {
      const opened = uploads.get(descriptor.digest)
      uploads.delete(descriptor.digest)
      const again = plan?.again
      if (again) return uploadKnown(client, { descriptor, stream, again: () => again(descriptor) }, task, opened)
      await uploadStream(client, verify(stream, descriptor, name).stream, task, opened)
    },
    putStream: (stream) => uploadStream(client, stream, task),
    async putManifest(bytes, mediaType, digest, { top: isTop }) {
      verifyBytes(bytes, { mediaType, digest, size: bytes.length }, name)
      const manifest = { bytes, mediaType, digest }
      if (isTop) top = manifest
      else await recordReferrer(client, manifest, await putManifest(client, digest, manifest, name), name)
    },
    async finish() {
      if (!top) throw broken(name, 'nothing was written to it')
      await recordReferrer(client, top, await putManifest(client, image.tag ?? top.digest, top, name), name)
    },
    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}

/** Has a blob mounted from where it is known to be: true, or the upload that the registry opened instead, if it did. */
async function mount(
  client: RegistryClient,
  descriptor: Descriptor,
  plan: CopyPlan | undefined,
  name: string,
): Promise<Answer | boolean> {
  const known = (await plan?.repositoriesWith?.(descriptor)) ?? []
  const { host, repository: own } = client.endpoint
  const other = known.find(({ registry, repository }) => requestHost(registry) === host && repository !== own)
  if (!other) return false
  const query = new URLSearchParams({ mount: descriptor.digest, from: other.repository })
  const call = { operation: 'write image', object: name, method: 'POST', path: `blobs/uploads/?${query}` } as const
  const alsoFrom = [other.repository]
  // A registry that refuses is sent the blob, and then says what it has against that.
  const answer = await client.call({ ...call, actions: 'pull,push', expect: [201, 202], alsoFrom }).catch(unlessAborted)
  if (!answer) return false
  await discard(answer, client.patience.stall)
  return answer.status === 201 || answer
}

function unlessAborted(error: unknown): undefined {
  if (!(error instanceof BuilderError) || error.code === 'ABORTED') throw error
}

function otherDigest(object: string, wanted: Digest, { digest }: Descriptor): BuilderError {
  const reason = `the image that is written has the digest ${digest}`
  const hint = `push to a tag, or push the image that is ${wanted}`
  return new BuilderError('USAGE', { operation: 'write image', object, reason, hint })
}
