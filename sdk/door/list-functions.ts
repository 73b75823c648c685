import { verb } from './verb.js'

/**
 * Tells how an image was made, newest step first. See `builder history`.
 *
 * @example
 * ```ts
 * import { history } from 'builder-sdk'
 * const [last] = await history('web')
 * console.log(last?.createdBy)
 * ```
 */
export const history = verb('history')

/**
 * Adds an image to a list. See `builder manifest add`.
 *
 * @example
 * ```ts
 * import { manifestAdd } from 'builder-sdk'
 * await manifestAdd('web', 'oci-archive:web-arm64.tar', { variant: 'v8' })
 * ```
 */
export const manifestAdd = verb('manifestAdd')

/**
 * Changes what a list says of one of its images. See `builder manifest annotate`.
 *
 * @example
 * ```ts
 * import { manifestAnnotate } from 'builder-sdk'
 * await manifestAnnotate('web', 'web:arm64', { annotation: ['tested=yes'] })
 * ```
 */
export const manifestAnnotate = verb('manifestAnnotate')

/**
 * Makes a list of images, one for each platform. See `builder manifest create`.
 *
 * @example
 * ```ts
 * import { manifestCreate } from 'builder-sdk'
 * const { digest } = await manifestCreate('web', ['web:amd64', 'web:arm64'])
 * ```
 */
export const manifestCreate = verb('manifestCreate')

/**
 * Tells whether there is a list of that name. See `builder manifest exists`.
 *
 * @example
 * ```ts
 * import { manifestExists } from 'builder-sdk'
 * if (!(await manifestExists('web')).exists) console.log('there is none')
 * ```
 */
export const manifestExists = verb('manifestExists')

/**
 * Tells what a list says of its images. See `builder manifest inspect`.
 *
 * @example
 * ```ts
 * import { manifestInspect } from 'builder-sdk'
 * const { manifests } = await manifestInspect('web')
 * console.log(manifests.map(({ platform }) => platform?.architecture))
 * ```
 */
export const manifestInspect = verb('manifestInspect')

/**
 * Copies a list and its images out of the store. See `builder manifest push`.
 *
 * @example
 * ```ts
 * import { manifestPush } from 'builder-sdk'
 * const { digest } = await manifestPush('web', 'oci:./layout:web')
 * ```
 */
export const manifestPush = verb('manifestPush')

/**
 * Takes an image out of a list. See `builder manifest remove`.
 *
 * @example
 * ```ts
 * import { manifestRemove } from 'builder-sdk'
 * await manifestRemove('web', 'web:arm64')
 * ```
 */
export const manifestRemove = verb('manifestRemove')

/**
 * Removes lists. See `builder manifest rm`.
 *
 * @example
 * ```ts
 * import { manifestRm } from 'builder-sdk'
 * await manifestRm(['web'])
 * ```
 */
export const manifestRm = verb('manifestRm')

/**
 * Tells the layers of an image, and which images end with each. See `builder tree`.
 *
 * @example
 * ```ts
 * import { tree } from 'builder-sdk'
 * const { requiredBy = [] } = await tree('base', { whatrequires: true })
 * console.log(requiredBy.length)
 * ```
 */
export const tree = verb('tree')
