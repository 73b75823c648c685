import { BuilderError } from '../errors.js'
import { listContainers } from '../store/containers.js'
import {
  findImageOrList,
  type Image,
  type ImageList,
  isList,
  listImages,
  listLists,
  nameMeant,
  removeImage,
  untagImage,
} from '../store/images.js'
import { listsWith, removeList } from '../store/lists.js'
import { listLabel } from '../store/read-list.js'
import { openStore, type Store } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { rm } from './rm.js'

/** Options of {@link rmi}. */
export interface RmiOptions extends GlobalOptions {
  /**
   * Remove all images.
   * @short a
   */
  all?: boolean
  /**
   * Remove an image also when it has several names or containers use it; the containers are removed too.
   * @short f
   */
  force?: boolean
  /**
   * Remove the images without a name.
   * @short p
   */
  prune?: boolean
}

/**
 * Removes images: a name first, and the image itself with its last name.
 *
 * Layers that nothing else needs go with it. An image that a list has loses its name and stays with the list.
 *
 * Throws `NOT_FOUND` for an unknown image, `IN_USE` when a container uses it, or when it has no name and a list needs it.
 *
 * @verb
 * @where inside
 * @offline
 * @stdout The ID of each image that was removed, or the name where only a name was.
 * @param images - Names or IDs of images.
 * @example
 * ```sh
 * builder rmi web
 * ```
 * @example
 * ```ts
 * import { rmi } from 'builder-sdk'
 * await rmi(['web'], { force: true })
 * ```
 */
export async function rmi(images: readonly string[] = [], options: RmiOptions = {}): Promise<readonly string[]> {
  const store = await openStore(options)
  const removed: string[] = []
  for (const wanted of await wantedImages(store, images, options)) removed.push(await remove(store, wanted, options))
  return removed
}

/** What the shell door prints. */
export function present(result: readonly string[]): string {
  return result.join('\n')
}

async function wantedImages(store: Store, images: readonly string[], options: RmiOptions): Promise<readonly string[]> {
  if (options.all || options.prune) {
    const all = [...(await listLists(store)), ...(await listImages(store))]
    return all.filter(({ names }) => options.all || names.length === 0).map(({ id }) => id)
  }
  if (images.length > 0) return images
  const hint = 'name one or more images, or say --all or --prune'
  throw new BuilderError('USAGE', { operation: 'rmi', object: '', reason: 'no image is named', hint })
}

async function remove(store: Store, wanted: string, options: RmiOptions): Promise<string> {
  const found = await findImageOrList(store, wanted, 'rmi')
  const name = nameMeant(found.names, wanted)
  if (name !== undefined && found.names.length > 1) {
    await untagImage(store, name)
    return name
  }
  if (name === undefined && found.names.length > 1 && !options.force && !options.all) throw severalNames(found, wanted)
  if (isList(found)) {
    await removeList(store, found)
    return found.id
  }
  const lists = listsWith(await listLists(store, () => undefined), found.manifestDigest)
  if (found.list) throw heldByLists(found, wanted, lists)
  await freeFromContainers(store, found, wanted, options)
  await removeImage(store, found)
  // A list keeps the image: only its name is gone.
  return (lists.length > 0 && found.names[0]) || found.id
}

async function freeFromContainers(store: Store, image: Image, wanted: string, options: RmiOptions): Promise<void> {
  const users = (await listContainers(store)).filter((record) => record.from?.id === image.id)
  if (users.length === 0) return
  if (!options.force) {
    const names = users.map(({ name }) => name).join(', ')
    const hint = `builder rm ${names.replaceAll(',', '')}, or rmi --force`
    throw new BuilderError('IN_USE', { operation: 'rmi', object: wanted, reason: `containers use it: ${names}`, hint })
  }
  await rm(
    users.map(({ id }) => id),
    { root: store.root, runroot: store.runroot },
  )
}

function heldByLists({ manifestDigest }: Image, wanted: string, lists: readonly ImageList[]): BuilderError {
  const [first] = lists
  const from = first ? ` ${listLabel(first)} ${manifestDigest}` : ''
  return new BuilderError('IN_USE', {
    operation: 'rmi',
    object: wanted,
    reason: `it belongs to ${lists.map(listLabel).join(', ') || 'a list'}`,
    hint: `builder manifest remove${from} takes it out`,
  })
}

function severalNames(image: Image | ImageList, wanted: string): BuilderError {
  return new BuilderError('IN_USE', {
    operation: 'rmi',
    object: wanted,
    reason: `the image has several names: ${image.names.join(', ')}`,
    hint: 'remove the names one by one, or say --force',
  })
}
