import { verb } from './verb.js'

/**
 * Lists the packages that are installed in an image or a container. See `builder packages`.
 *
 * @example
 * ```ts
 * import { packages } from 'builder-sdk'
 * const { packages: installed } = await packages('web')
 * console.log(installed.map(({ name, version }) => `${name} ${version}`))
 * ```
 */
export const packages = verb('packages')
