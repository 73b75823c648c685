import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import type { Digest } from '../image/digest.js'
import { type OpenOptions, openAt } from './docker-source.js'
import type { Endpoint } from './registry/access.js'
import type { RegistryClient } from './registry/client.js'
import { type DockerName, manifestReference, parseDockerName } from './registry/docker-name.js'
import { endpointsFor, pushEndpointFor } from './registry/endpoints.js'
import { deleteManifest, headManifest } from './registry/manifests.js'
import { readReferrers } from './registry/referrers.js'
import { readTags } from './registry/tags.js'
import { missing } from './verify.js'

/**
 * All tags of a repository, in the registry's order. Throws `NOT_FOUND`, `NETWORK` when it cannot be reached, `DENIED` when it refuses.
 *
 * @example
 * ```ts
 * import { listTags } from './docker.js'
 * for (const tag of await listTags('docker://docker.io/library/debian')) console.log(tag)
 * ```
 */
export async function listTags(text: string, options: OpenOptions = {}): Promise<readonly string[]> {
  return reading(text, options, (client) => readTags(client, text))
}

/**
 * The digest of the manifest that a name stands for now, without reading it. Throws `NOT_FOUND`.
 *
 * @example
 * ```ts
 * import { imageDigest } from './docker.js'
 * console.log(await imageDigest('docker://docker.io/library/debian:12'))
 * ```
 */
export async function imageDigest(text: string, options: OpenOptions = {}): Promise<Digest> {
  return reading(text, options, (client, name) => digestOfName(client, name, text))
}

/**
 * Deletes the manifest that a name stands for, and with it every tag of that manifest; returns its digest. Blobs go when
 * the registry collects its garbage. Throws `NOT_FOUND`, and `UNSUPPORTED` where the registry permits no deleting.
 *
 * @example
 * ```ts
 * import { deleteImage } from './docker.js'
 * await deleteImage('docker://registry.example/web:old')
 * ```
 */
export async function deleteImage(text: string, options: OpenOptions = {}): Promise<Digest> {
  const name = parse(text)
  return using(await pushEndpointFor(name, options.registry ?? {}), options, async (client) => {
    const digest = await digestOfName(client, name, text)
    await deleteManifest(client, digest, text)
    return digest
  })
}

/** Options of {@link referrers}. */
export interface ReferrersOptions extends OpenOptions {
  /** Only those of this type. */
  readonly artifactType?: string
}

/**
 * What refers to an image as its subject: signatures, lists of contents. From the registry's own list, or from the tag
 * `sha256-<hex>` of registries that keep none. Throws `NOT_FOUND` for an image that is not there.
 *
 * @example
 * ```ts
 * import { referrers } from './docker.js'
 * const found = await referrers('docker://registry.example/web:1', { artifactType: 'application/spdx+json' })
 * console.log(found.map(({ digest }) => digest))
 * ```
 */
export async function referrers(text: string, options: ReferrersOptions = {}): Promise<readonly Descriptor[]> {
  return reading(text, options, async (client, name) => {
    const digest = name.digest ?? (await digestOfName(client, name, text))
    return readReferrers(client, digest, options.artifactType, text)
  })
}

async function digestOfName(client: RegistryClient, name: DockerName, text: string): Promise<Digest> {
  const digest = await headManifest(client, manifestReference(name), text)
  if (digest !== undefined) return digest
  throw missing(text, `${client.endpoint.host}: it has no such image`, 'check the name and the tag')
}

/** What a registry itself says, not its mirrors. */
async function reading<T>(
  text: string,
  options: OpenOptions,
  work: (client: RegistryClient, name: DockerName) => Promise<T>,
): Promise<T> {
  const name = parse(text)
  const endpoints = await endpointsFor(name, options.registry ?? {})
  return using(endpoints.at(-1) as Endpoint, options, (client) => work(client, name))
}

async function using<T>(
  endpoint: Endpoint,
  options: OpenOptions,
  work: (client: RegistryClient) => Promise<T>,
): Promise<T> {
  const client = await openAt(endpoint, options)
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

function parse(text: string): DockerName {
  if (text.startsWith('docker://')) return parseDockerName(text.slice('docker:'.length))
  throw new BuilderError('USAGE', {
    operation: 'read image location',
    object: text,
    reason: 'it is not in a registry',
    hint: 'write docker://registry/repository',
  })
}
