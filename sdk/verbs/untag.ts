import { BuilderError } from '../errors.js'
import { candidateNames } from '../image/reference.js'
import { findImageOrList, untagImage } from '../store/images.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link untag}. */
export interface UntagOptions extends GlobalOptions {}

/**
 * Takes names away from an image; without names, all of them. The image itself stays.
 *
 * Throws `NOT_FOUND` for an unknown image or a name that it does not have.
 *
 * @verb
 * @where outside
 * @offline
 * @param image - Name or ID of an image.
 * @param names - The names to take away.
 * @example
 * ```sh
 * builder untag web web:1.0
 * ```
 * @example
 * ```ts
 * import { untag } from 'builder-sdk'
 * await untag('web', ['web:1.0'])
 * ```
 */
export async function untag(image: string, names: readonly string[] = [], options: UntagOptions = {}): Promise<void> {
  const store = await openStore(options)
  const found = await findImageOrList(store, image, 'untag')
  const gone = names.length === 0 ? found.names : names.map((name) => known(found.names, name))
  for (const name of gone) await untagImage(store, name)
}

function known(names: readonly string[], wanted: string): string {
  const name = candidateNames(wanted).find((candidate) => names.includes(candidate))
  if (name !== undefined) return name
  const hint = names.length > 0 ? `its names are ${names.join(', ')}` : 'it has no names'
  throw new BuilderError('NOT_FOUND', {
    operation: 'untag',
    object: wanted,
    reason: 'the image has no such name',
    hint,
  })
}
