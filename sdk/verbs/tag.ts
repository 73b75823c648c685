import { localName } from '../image/reference.js'
import { findImage, tagImage } from '../store/images.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link tag}. */
export interface TagOptions extends GlobalOptions {}

/**
 * Gives an image more names; a name that another image had moves to this one.
 *
 * Throws `NOT_FOUND` for an unknown image, `INVALID` for a name of the wrong form.
 *
 * @verb
 * @where outside
 * @param image - Name or ID of an image.
 * @param names - The names to give; without a registry they belong to `localhost`.
 * @example
 * ```sh
 * builder tag web web:1.0 registry.example/team/web:1.0
 * ```
 * @example
 * ```ts
 * import { tag } from 'builder-sdk'
 * await tag('web', ['web:1.0'])
 * ```
 */
export async function tag(image: string, names: readonly string[], options: TagOptions = {}): Promise<void> {
  const store = await openStore(options)
  const found = await findImage(store, image, 'tag')
  for (const name of names.map(localName)) await tagImage(store, found, name)
}
