import { BuilderError } from '../errors.js'
import { deleteImage as deleteAt } from '../transport/docker.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import { transportOf } from '../transport/transport-text.js'
import type { GlobalOptions } from './global.js'
import { remoteReference } from './transfer/pull-names.js'

/** Options of {@link deleteImage}. */
export interface DeleteOptions extends GlobalOptions, RegistryOptions {}

/** An image that a registry no longer has. */
export interface DeleteResult {
  /** Digest of the manifest that is gone, with every tag that named it. */
  readonly digest: string
}

/**
 * Deletes an image from a registry.
 *
 * The manifest goes, and with it every tag that names it; the registry frees the space of the layers when it next collects
 * garbage. Images of the store are removed with `rmi`.
 *
 * Throws `NOT_FOUND` for an image that is not there, `UNSUPPORTED` where the registry allows no deletion, `USAGE` for
 * anything but `docker://`.
 *
 * @verb delete
 * @where outside
 * @stdout The digest of the manifest that is gone.
 * @param image - docker://REGISTRY/NAME with a tag or a digest.
 * @example
 * ```sh
 * builder delete docker://registry.example.com/site/web:0.9
 * ```
 * @example
 * ```ts
 * import { deleteImage } from 'builder-sdk'
 * await deleteImage('docker://registry.example.com/site/web:0.9')
 * ```
 */
export async function deleteImage(image: string, options: DeleteOptions = {}): Promise<DeleteResult> {
  remoteReference(registryImage('delete', image))
  const isNamed = /@|:[^/]+$/.test(image.slice('docker://'.length))
  if (!isNamed) throw needsTag(image)
  const { signal } = options
  return { digest: await deleteAt(image, { registry: options, ...(signal ? { signal } : {}) }) }
}

/** What the shell door prints. */
export function present(result: DeleteResult): string {
  return result.digest
}

/** An image of a registry; every other place is refused. Throws `USAGE`, `UNSUPPORTED`. */
export function registryImage(operation: string, image: string): string {
  if (image.startsWith('docker://')) return image
  const isFile = transportOf(image) !== undefined
  throw new BuilderError('USAGE', {
    operation,
    object: image || '""',
    reason: isFile ? 'it is a file, not in a registry' : 'it is no place in a registry',
    hint: isFile
      ? 'write docker://REGISTRY/NAME'
      : 'write docker://REGISTRY/NAME; rmi removes images of the store, rm containers',
  })
}

/** A forgotten tag must not cost `latest`. */
function needsTag(object: string): BuilderError {
  const reason = 'it names no image, only a repository'
  return new BuilderError('USAGE', { operation: 'delete', object, reason, hint: `write ${object}:TAG` })
}
