import { BuilderError } from '../../errors.js'
import { parseJson } from '../../image/config.js'
import { isIndexType, isManifestType, mediaTypes } from '../../image/descriptor.js'
import { type Digest, digestOf, isDigest } from '../../image/digest.js'
import { manifestSizeLimit, parseManifest } from '../../image/manifest.js'
import type { Top } from '../source.js'
import { broken, collect } from '../verify.js'
import type { RegistryClient } from './client.js'
import { type Answer, bodyOf, discard } from './exchange.js'
import { connectionFailure } from './failure.js'
import { patiently } from './patience.js'

/**
 * A manifest or an index, by tag or by digest, checked against the digest that was asked for and the one the registry
 * names. Throws `NOT_FOUND`, `INVALID`, `DIGEST`, and `UNSUPPORTED` for Docker schema 1.
 */
export async function getManifest(client: RegistryClient, reference: string, name: string): Promise<Top> {
  const task = { operation: 'read image', object: name }
  const { patience, signal } = client
  const [answer, bytes] = await patiently(
    async () => {
      const path = `manifests/${reference}`
      const got = await client.call({ ...task, method: 'GET', path, actions: 'pull', expect: [200], headers: accept })
      checkAnswer(got, name)
      const whole = await collect(bodyOf(got, patience.stall), manifestSizeLimit, `${name}, its manifest`).catch(
        (error) => {
          throw connectionFailure(error, got.url.host, task, patience.stall)
        },
      )
      return [got, whole] as const
    },
    patience,
    signal,
  )
  const digest = digestOf(bytes)
  const claimed = claimedDigest(answer)
  for (const wanted of [isDigest(reference) ? reference : undefined, claimed])
    if (wanted !== undefined && wanted !== digest) throw otherDigest(name, wanted, digest)
  return { bytes, mediaType: mediaTypeOf(answer, bytes, name), digest }
}

/** The digest that a tag has now, without the manifest; undefined when there is no such tag. */
export async function headManifest(
  client: RegistryClient,
  reference: string,
  name: string,
): Promise<Digest | undefined> {
  const call = { operation: 'read image', object: name, method: 'HEAD', path: `manifests/${reference}` } as const
  const answer = await client.call({ ...call, actions: 'pull', expect: [200, 404], headers: accept })
  await discard(answer, client.patience.stall)
  if (answer.status === 404) return undefined
  return claimedDigest(answer) ?? (await getManifest(client, reference, name)).digest
}

/** Puts a manifest or an index under a tag or its digest. Throws `DIGEST` when the registry takes it for something else. */
export async function putManifest(
  client: RegistryClient,
  reference: string,
  { bytes, mediaType, digest }: Top,
  name: string,
): Promise<Answer> {
  const call = { operation: 'write image', object: name, method: 'PUT', path: `manifests/${reference}` } as const
  const headers = { 'content-type': mediaType }
  const answer = await client.call({ ...call, actions: 'pull,push', expect: [201, 202, 200], headers, body: [bytes] })
  await discard(answer, client.patience.stall)
  const claimed = claimedDigest(answer)
  if (claimed !== undefined && claimed !== digest) throw otherDigest(name, digest, claimed)
  return answer
}

/** Removes a manifest by its digest, with every tag that names it. Throws `NOT_FOUND`, and `UNSUPPORTED` where none may be. */
export async function deleteManifest(client: RegistryClient, reference: string, name: string): Promise<void> {
  const call = { operation: 'delete image', object: name, method: 'DELETE', path: `manifests/${reference}` } as const
  const answer = await client.call({ ...call, actions: 'pull,delete', expect: [200, 202, 204] })
  await discard(answer, client.patience.stall)
}

const schemaOne = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(json|prettyjws)/
const types = [mediaTypes.manifest, mediaTypes.index, mediaTypes.dockerManifest, mediaTypes.dockerIndex]
const accept = { accept: types.join(', ') }

function checkAnswer({ headers, body }: Answer, name: string): void {
  const length = Number(headers['content-length'] ?? 0)
  if (schemaOne.test(headers['content-type'] ?? '')) {
    body.destroy()
    throw outOfUse(name)
  }
  if (length <= manifestSizeLimit) return
  body.destroy()
  throw broken(name, `its manifest has ${length} bytes, more than ${manifestSizeLimit}`)
}

function claimedDigest({ headers }: Answer): Digest | undefined {
  const claimed = headers['docker-content-digest']
  return isDigest(claimed) ? claimed : undefined
}

/** The manifest's own word counts; the header must not contradict it. */
function mediaTypeOf({ headers }: Answer, bytes: Uint8Array, name: string): string {
  const said = headers['content-type']?.split(';')[0]?.trim() ?? ''
  const document = parseJson(bytes, `${name}, its manifest`) as { readonly schemaVersion?: unknown } | null
  if (document?.schemaVersion === 1) throw outOfUse(name)
  const { mediaType } = parseManifest(bytes, `${name}, its manifest`)
  if ((!isIndexType(said) && !isManifestType(said)) || said === mediaType) return mediaType
  throw broken(name, `its manifest is a ${mediaType}, the registry says ${said}`)
}

function outOfUse(object: string): BuilderError {
  const hint = 'have it pushed again with a current tool'
  const reason = 'the registry has it only as a Docker schema 1 manifest, which is out of use'
  return new BuilderError('UNSUPPORTED', { operation: 'read image', object, reason, hint })
}

function otherDigest(object: string, wanted: Digest, found: Digest): BuilderError {
  const reason = `its manifest has the digest ${found}, not ${wanted}`
  const hint = 'the registry, or what stands before it, is damaged or lies'
  return new BuilderError('DIGEST', { operation: 'copy image', object, reason, hint })
}
