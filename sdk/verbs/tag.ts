import { localName } from '../image/reference.js'
import { findImageOrList, isList, tagImage, tagList } from '../store/images.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link tag}. */
export interface TagOptions extends GlobalOptions {}

/**
 * Gives an image, or a list of images, more names; a name that another one had moves to this one.
 *
 * Throws `NOT_FOUND` for an unknown image, `INVALID` for a name of the wrong form.
 *
 * @verb
 * @where outside
 * @offline
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
  const found = await findImageOrList(store, image, 'tag')
  for (const name of names.map(localName))
    await (isList(found) ? tagList(store, found, name) : tagImage(store, found, name))
}
