import { referrers as referrersAt } from '../transport/docker.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import { registryImage } from './delete.js'
import type { GlobalOptions } from './global.js'
import { remoteReference } from './transfer/pull-names.js'

/** Options of {@link referrers}. */
export interface ReferrersOptions extends GlobalOptions, RegistryOptions {
  /**
   * Only what is of this type, as application/spdx+json.
   * @placeholder TYPE
   */
  artifactType?: string
}

/** Something that refers to an image: a signature, a bill of materials, an attestation. Names as OCI has them. */
export interface Referrer {
  readonly mediaType: string
  readonly digest: string
  /** Bytes of its manifest. */
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * Lists what refers to an image in a registry: signatures, bills of materials, attestations.
 *
 * Asks the registry's referrers API, and where it has none looks at the tag that stands in for it.
 *
 * Throws `NOT_FOUND` for an image that is not there, `INVALID` for an answer of the wrong form, `USAGE` for anything but
 * `docker://`.
 *
 * @verb
 * @where outside
 * @stdout The referrers as a JSON list of descriptors.
 * @param image - docker://REGISTRY/NAME with a tag or a digest.
 * @example
 * ```sh
 * builder referrers --artifact-type application/spdx+json docker://registry.example.com/site/web:1.0
 * ```
 * @example
 * ```ts
 * import { referrers } from 'builder-sdk'
 * const signatures = await referrers('docker://registry.example.com/site/web:1.0')
 * ```
 */
export async function referrers(image: string, options: ReferrersOptions = {}): Promise<readonly Referrer[]> {
  remoteReference(registryImage('referrers', image))
  const { signal, artifactType } = options
  const wanted = artifactType === undefined ? {} : { artifactType }
  return referrersAt(image, { registry: options, ...wanted, ...(signal ? { signal } : {}) })
}

/** What the shell door prints. */
export function present(result: readonly Referrer[]): string {
  return JSON.stringify(result, null, 4)
}
