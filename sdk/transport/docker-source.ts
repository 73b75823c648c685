import { BuilderError } from '../errors.js'
import { formatReference } from '../image/reference.js'
import type { Endpoint, RegistryOptions } from './registry/access.js'
import { openRegistry, type RegistryClient } from './registry/client.js'
import { credentialsFor } from './registry/credentials.js'
import { type DockerName, manifestReference } from './registry/docker-name.js'
import { downloadBlob } from './registry/download.js'
import { endpointsFor } from './registry/endpoints.js'
import { getManifest } from './registry/manifests.js'
import type { Patience } from './registry/patience.js'
import type { RegistriesFiles } from './registry/registries-conf.js'
import type { ImageSource, Top } from './source.js'
import { verifyBytes } from './verify.js'

/** How a place is reached. */
export interface OpenOptions {
  readonly registry?: (RegistryOptions & RegistriesFiles) | undefined
  readonly signal?: AbortSignal | undefined
  readonly patience?: Partial<Patience>
}

/**
 * `docker://registry/repository:tag` or `@digest`: an image in a registry, or in the first of its mirrors that has it.
 * Throws `NOT_FOUND`, `NETWORK` when it cannot be reached, `DENIED` when it refuses, `UNSUPPORTED` when it is blocked or of schema 1.
 */
export async function dockerSource(image: DockerName, name: string, options: OpenOptions = {}): Promise<ImageSource> {
  const { client, top } = await firstThatHas(image, name, options)
  const { registry, repository } = image
  const { endpoint } = client
  return {
    name,
    ...(image.tag === undefined ? {} : { suggestedName: formatReference({ registry, repository, tag: image.tag }) }),
    top: async () => top,
    async manifest(descriptor) {
      const { bytes } = await getManifest(client, descriptor.digest, name)
      verifyBytes(bytes, descriptor, name)
      return bytes
    },
    blob: (descriptor) => downloadBlob(client, descriptor, name),
    // Where it came from, which registries.conf may have made another place than the name's.
    repositoriesWith: async () => [{ registry: endpoint.host, repository: endpoint.repository }],
    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}

interface Opened {
  readonly client: RegistryClient
  readonly top: Top
}

/** Asks the mirrors in turn and the registry last; what each said is told when none has it. */
async function firstThatHas(image: DockerName, name: string, options: OpenOptions): Promise<Opened> {
  const endpoints = await endpointsFor(image, options.registry ?? {})
  const failures: { endpoint: Endpoint; error: BuilderError }[] = []
  for (const endpoint of endpoints) {
    const client = await openAt(endpoint, options)
    try {
      return { client, top: await getManifest(client, manifestReference(image), name) }
    } catch (error) {
      client.close()
      if (!(error instanceof BuilderError) || error.code === 'ABORTED') throw error
      failures.push({ endpoint, error })
    }
  }
  const last = failures.at(-1)?.error as BuilderError
  const before = failures.slice(0, -1).map(({ endpoint, error }) => `mirror ${endpoint.host}: ${error.reason}`)
  if (before.length === 0) throw last
  const { code, operation, object, hint, cause } = last
  const reason = [last.reason, ...before].join('; ')
  throw new BuilderError(code, { operation, object, reason, ...(hint === undefined ? {} : { hint }), cause })
}

/** A client for one endpoint, with the login that belongs to it. */
export async function openAt(
  endpoint: Endpoint,
  { registry = {}, signal, patience }: OpenOptions,
): Promise<RegistryClient> {
  const credentials = await credentialsFor(endpoint, registry)
  return openRegistry(endpoint, { credentials, signal, ...(patience ? { patience } : {}) })
}
