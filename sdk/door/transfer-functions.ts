import { verb } from './verb.js'

/**
 * Deletes an image from a registry. See `builder delete`.
 *
 * @example
 * ```ts
 * import { deleteImage } from 'builder-sdk'
 * await deleteImage('docker://registry.example.com/site/web:0.9')
 * ```
 */
export const deleteImage = verb('deleteImage')

/**
 * Copies an image between any two places without passing through the store. See `builder image copy`.
 *
 * @example
 * ```ts
 * import { imageCopy } from 'builder-sdk'
 * const { digest } = await imageCopy('oci:./layout:web', 'docker://registry.example.com/site/web:1.0')
 * ```
 */
export const imageCopy = verb('imageCopy')

/**
 * Tells what an image is, wherever it is, without pulling it. See `builder image inspect`.
 *
 * @example
 * ```ts
 * import { imageInspect } from 'builder-sdk'
 * const { Digest, Labels } = await imageInspect('docker://quay.io/fedora/fedora:40')
 * ```
 */
export const imageInspect = verb('imageInspect')

/**
 * Lists the tags of a repository. See `builder list-tags`.
 *
 * @example
 * ```ts
 * import { listTags } from 'builder-sdk'
 * const { Tags } = await listTags('docker://quay.io/fedora/fedora')
 * ```
 */
export const listTags = verb('listTags')

/**
 * Checks a login to a registry and keeps it. See `builder login`.
 *
 * @example
 * ```ts
 * import { login } from 'builder-sdk'
 * await login('registry.example', { username: 'ci', password: process.env.TOKEN ?? '' })
 * ```
 */
export const login = verb('login')

/**
 * Forgets the login to a registry. See `builder logout`.
 *
 * @example
 * ```ts
 * import { logout } from 'builder-sdk'
 * await logout('registry.example')
 * ```
 */
export const logout = verb('logout')

/**
 * Copies an image into the store. See `builder pull`.
 *
 * @example
 * ```ts
 * import { pull } from 'builder-sdk'
 * const { id } = await pull('oci:./layout:web')
 * ```
 */
export const pull = verb('pull')

/**
 * Copies an image out of the store. See `builder push`.
 *
 * @example
 * ```ts
 * import { push } from 'builder-sdk'
 * const { digest } = await push('web', 'oci-archive:web.tar')
 * ```
 */
export const push = verb('push')

/**
 * Lists what refers to an image in a registry. See `builder referrers`.
 *
 * @example
 * ```ts
 * import { referrers } from 'builder-sdk'
 * const signatures = await referrers('docker://registry.example.com/site/web:1.0')
 * ```
 */
export const referrers = verb('referrers')

/**
 * Copies many images. See `builder sync`.
 *
 * @example
 * ```ts
 * import { sync } from 'builder-sdk'
 * await sync('images.yaml', './mirror', { src: 'yaml', dest: 'dir', scoped: true })
 * ```
 */
export const sync = verb('sync')
