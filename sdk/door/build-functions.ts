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
