import { verb } from './verb.js'

/**
 * Builds an image from a Containerfile. See `builder build`.
 *
 * @example
 * ```ts
 * import { build } from 'builder-sdk'
 * const { id } = await build('.', { tag: ['web'], onEvent: (event) => console.log(event.type) })
 * ```
 */
export const build = verb('build')

/**
 * Tells what a build would do. See `builder plan`.
 *
 * @example
 * ```ts
 * import { plan } from 'builder-sdk'
 * for (const { id, needs } of await plan('.')) console.log(id, needs)
 * ```
 */
export const plan = verb('plan')

/**
 * Makes a recipe of a Containerfile. See `builder convert`.
 *
 * @example
 * ```ts
 * import { convert } from 'builder-sdk'
 * const { recipe } = await convert('Containerfile', { to: 'ts' })
 * console.log(recipe)
 * ```
 */
export const convert = verb('convert')
