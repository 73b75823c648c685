import { verb } from './verb.js'

/**
 * Checks that the store is whole. See `builder check`.
 *
 * @example
 * ```ts
 * import { check } from 'builder-sdk'
 * const { problems } = await check({ deep: true })
 * ```
 */
export const check = verb('check')

/**
 * Lists the working containers. See `builder containers`.
 *
 * @example
 * ```ts
 * import { containers } from 'builder-sdk'
 * for (const { name } of await containers()) console.log(name)
 * ```
 */
export const containers = verb('containers')

/**
 * Lists the images in the store. See `builder images`.
 *
 * @example
 * ```ts
 * import { images } from 'builder-sdk'
 * console.log((await images()).map(({ names }) => names))
 * ```
 */
export const images = verb('images')

/**
 * Tells what this machine can do, and where the store is. See `builder info`.
 *
 * @example
 * ```ts
 * import { info } from 'builder-sdk'
 * console.log((await info()).host.isolation)
 * ```
 */
export const info = verb('info')

/**
 * Tells everything known of a container or an image. See `builder inspect`.
 *
 * @example
 * ```ts
 * import { inspect } from 'builder-sdk'
 * const { OCIv1 } = await inspect('web', { type: 'image' })
 * console.log(OCIv1.config?.Cmd)
 * ```
 */
export const inspect = verb('inspect')

/**
 * Tells what a command in the background has printed so far. See `builder logs`.
 *
 * @example
 * ```ts
 * import { logs } from 'builder-sdk'
 * console.log(await logs('web'))
 * ```
 */
export const logs = verb('logs')

/**
 * Writes the layer blobs that exist only as directories. See `builder materialize`.
 *
 * @example
 * ```ts
 * import { materialize } from 'builder-sdk'
 * await materialize(['web'])
 * ```
 */
export const materialize = verb('materialize')

/**
 * Mounts containers' roots; a path is valid where the engine is, so use `Container.mount` in scripts. See `builder mount`.
 *
 * @example
 * ```ts
 * import { mount } from 'builder-sdk'
 * const mounted = await mount([])
 * console.log(mounted.map(({ container }) => container))
 * ```
 */
export const mount = verb('mount')

/**
 * Gives what the preprocessor makes of a Containerfile. See `builder preprocess`.
 *
 * @example
 * ```ts
 * import { preprocess } from 'builder-sdk'
 * const { text } = await preprocess('Containerfile.in', { define: ['TAG=12'] })
 * ```
 */
export const preprocess = verb('preprocess')

/**
 * Removes what nothing needs. See `builder prune`.
 *
 * @example
 * ```ts
 * import { prune } from 'builder-sdk'
 * const { bytes } = await prune()
 * ```
 */
export const prune = verb('prune')

/**
 * Gives a container another name. See `builder rename`.
 *
 * @example
 * ```ts
 * import { rename } from 'builder-sdk'
 * await rename('working-container', 'web-build')
 * ```
 */
export const rename = verb('rename')

/**
 * Removes working containers. See `builder rm`.
 *
 * @example
 * ```ts
 * import { rm } from 'builder-sdk'
 * await rm(['web-build'])
 * ```
 */
export const rm = verb('rm')

/**
 * Removes images. See `builder rmi`.
 *
 * @example
 * ```ts
 * import { rmi } from 'builder-sdk'
 * await rmi(['web'], { force: true })
 * ```
 */
export const rmi = verb('rmi')

/**
 * Executes the command that an image carries in a label. See `builder runlabel`.
 *
 * @example
 * ```ts
 * import { runlabel } from 'builder-sdk'
 * const { exitCode } = await runlabel('run', 'quay.io/example/web', [], { yes: true })
 * ```
 */
export const runlabel = verb('runlabel')

/**
 * Ends commands in the background. See `builder stop`.
 *
 * @example
 * ```ts
 * import { runImage, stop } from 'builder-sdk'
 * const { id = '' } = await runImage('web', [], { detach: true })
 * await stop([id])
 * ```
 */
export const stop = verb('stop')

/**
 * Gives an image more names. See `builder tag`.
 *
 * @example
 * ```ts
 * import { tag } from 'builder-sdk'
 * await tag('web', ['web:1.0'])
 * ```
 */
export const tag = verb('tag')

/**
 * Unmounts containers' roots. See `builder umount`.
 *
 * @example
 * ```ts
 * import { umount } from 'builder-sdk'
 * await umount([], { all: true })
 * ```
 */
export const umount = verb('umount')

/**
 * Takes names away from an image. See `builder untag`.
 *
 * @example
 * ```ts
 * import { untag } from 'builder-sdk'
 * await untag('web', ['web:1.0'])
 * ```
 */
export const untag = verb('untag')

/**
 * Tells what this builder is. See `builder version`.
 *
 * @example
 * ```ts
 * import { version } from 'builder-sdk'
 * console.log((await version()).version)
 * ```
 */
export const version = verb('version')
