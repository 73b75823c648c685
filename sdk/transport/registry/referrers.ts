import { BuilderError } from '../../errors.js'
import { canonicalJson } from '../../image/config.js'
import { type Descriptor, mediaTypes, parseDescriptor } from '../../image/descriptor.js'
import { type Digest, digestOf, hexOf } from '../../image/digest.js'
import { type Index, isIndex, type Manifest, parseManifest } from '../../image/manifest.js'
import type { Top } from '../source.js'
import { broken } from '../verify.js'
import type { RegistryClient } from './client.js'
import type { Answer } from './exchange.js'
import { getManifest, putManifest } from './manifests.js'
import { readPages } from './pages.js'

/**
 * What refers to a manifest (signatures, lists of contents), from the registry's own list or from the tag
 * `sha256-<hex>` of registries that keep none. Source: distribution-spec, "Listing Referrers".
 */
export async function readReferrers(
  client: RegistryClient,
  digest: Digest,
  artifactType: string | undefined,
  name: string,
): Promise<readonly Descriptor[]> {
  const query = artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType })}`
  const pages = await readPages(client, `referrers/${digest}${query}`, { operation: 'list referrers', object: name })
  const found =
    pages?.flatMap(({ value }) => descriptorsOf(value, name)) ?? (await taggedReferrers(client, digest, name))
  return found.filter((one) => artifactType === undefined || one.artifactType === artifactType)
}

/**
 * Enters a manifest with a subject under the subject's tag when the registry did not do so itself: it says that it did with
 * OCI-Subject. Source: distribution-spec, "Pushing Manifests with Subject".
 */
export async function recordReferrer(
  client: RegistryClient,
  manifest: Top,
  answer: Answer,
  name: string,
): Promise<void> {
  const value = parseManifest(manifest.bytes, name)
  const { subject } = value
  if (!subject || answer.headers['oci-subject'] !== undefined) return
  const { digest } = parseDescriptor(subject, `${name}, its subject`)
  const others = (await taggedReferrers(client, digest, name)).filter((one) => one.digest !== manifest.digest)
  const manifests = [...others, referrerOf(manifest, value)]
  const bytes = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }))
  const index = { bytes, mediaType: mediaTypes.index, digest: digestOf(bytes) }
  await putManifest(client, tagOf(digest), index, name)
}

function tagOf(digest: Digest): string {
  return `sha256-${hexOf(digest)}`
}

function referrerOf({ bytes, mediaType, digest }: Top, value: Manifest | Index): Descriptor {
  const { annotations } = value
  const artifactType = isIndex(value) ? undefined : (value.artifactType ?? value.config.mediaType)
  const type = artifactType === undefined ? {} : { artifactType }
  return { mediaType, digest, size: bytes.length, ...type, ...(annotations ? { annotations } : {}) }
}

async function taggedReferrers(client: RegistryClient, digest: Digest, name: string): Promise<readonly Descriptor[]> {
  try {
    const { bytes } = await getManifest(client, tagOf(digest), name)
    const index = parseManifest(bytes, name)
    if (isIndex(index)) return index.manifests
  } catch (error) {
    if (error instanceof BuilderError && error.code === 'NOT_FOUND') return []
    throw error
  }
  throw broken(name, `its tag ${tagOf(digest)} is not an index of referrers`)
}

function descriptorsOf({ manifests }: Readonly<Record<string, unknown>>, name: string): readonly Descriptor[] {
  if (!Array.isArray(manifests)) throw broken(name, 'its list of referrers is not an index')
  return manifests.map((one, place) => parseDescriptor(one, `${name}, referrer ${place}`))
}
