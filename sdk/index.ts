/** The TypeScript door: what is not exported here is free to change. */
import { verb } from './door.js'

export { Container, type ContainerRunOptions, from, type RunOutput } from './container.js'
export { BuilderError, type ErrorCode, type ErrorParts, RunError, type RunFailure } from './errors.js'
export type { AddOptions } from './verbs/add.js'
export type { CheckOptions, CheckResult } from './verbs/check.js'
export type { CommitOptions, CommitResult } from './verbs/commit.js'
export type { ConfigOptions } from './verbs/config.js'
export type { ContainerSummary, ContainersOptions } from './verbs/containers.js'
export type { CopyOptions, CopyResult } from './verbs/copy.js'
export type { FromOptions } from './verbs/from.js'
export type { GlobalOptions } from './verbs/global.js'
export type { ImageSummary, ImagesOptions } from './verbs/images.js'
export type { InfoOptions, InfoResult } from './verbs/info.js'
export type { Inspection, InspectOptions } from './verbs/inspect.js'
export type { MaterializeOptions } from './verbs/materialize.js'
export type { Mounted, MountOptions } from './verbs/mount.js'
export type { PlacingOptions } from './verbs/placing.js'
export type { PruneOptions, PruneResult } from './verbs/prune.js'
export type { PullOptions, PullResult } from './verbs/pull.js'
export type { PushOptions, PushResult } from './verbs/push.js'
export type { RenameOptions } from './verbs/rename.js'
export type { RmOptions } from './verbs/rm.js'
export type { RmiOptions } from './verbs/rmi.js'
export type { RunOptions } from './verbs/run-options.js'
export type { TagOptions } from './verbs/tag.js'
export type { UmountOptions } from './verbs/umount.js'
export type { UntagOptions } from './verbs/untag.js'
export type { VersionOptions, VersionResult } from './verbs/version.js'

/**
 * See `builder check`.
 *
 * @example
 * ```ts
 * import { check } from 'builder-sdk'
 * const { problems } = await check({ deep: true })
 * ```
 */
export const check = verb('check')
/**
 * See `builder containers`.
 *
 * @example
 * ```ts
 * import { containers } from 'builder-sdk'
 * for (const { name } of await containers()) console.log(name)
 * ```
 */
export const containers = verb('containers')
/**
 * See `builder images`.
 *
 * @example
 * ```ts
 * import { images } from 'builder-sdk'
 * for (const { id, names } of await images()) console.log(id, names)
 * ```
 */
export const images = verb('images')
/**
 * See `builder info`.
 *
 * @example
 * ```ts
 * import { info } from 'builder-sdk'
 * console.log(await info())
 * ```
 */
export const info = verb('info')
/**
 * See `builder inspect`.
 *
 * @example
 * ```ts
 * import { inspect } from 'builder-sdk'
 * const { OCIv1 } = await inspect('web', { type: 'image' })
 * ```
 */
export const inspect = verb('inspect')
/**
 * See `builder materialize`.
 *
 * @example
 * ```ts
 * import { materialize } from 'builder-sdk'
 * await materialize('web', './rootfs')
 * ```
 */
export const materialize = verb('materialize')
/**
 * See `builder mount`.
 *
 * @example
 * ```ts
 * import { mount } from 'builder-sdk'
 * const [mounted] = await mount(['web-build'])
 * ```
 */
export const mount = verb('mount')
/**
 * See `builder prune`.
 *
 * @example
 * ```ts
 * import { prune } from 'builder-sdk'
 * await prune()
 * ```
 */
export const prune = verb('prune')
/**
 * See `builder pull`.
 *
 * @example
 * ```ts
 * import { pull } from 'builder-sdk'
 * const { id } = await pull('oci-archive:web.tar')
 * ```
 */
export const pull = verb('pull')
/**
 * See `builder push`.
 *
 * @example
 * ```ts
 * import { push } from 'builder-sdk'
 * await push('web', 'oci:./layout:web')
 * ```
 */
export const push = verb('push')
/**
 * See `builder rename`.
 *
 * @example
 * ```ts
 * import { rename } from 'builder-sdk'
 * await rename('working-container', 'web-build')
 * ```
 */
export const rename = verb('rename')
/**
 * See `builder rm`.
 *
 * @example
 * ```ts
 * import { rm } from 'builder-sdk'
 * await rm(['web-build'])
 * ```
 */
export const rm = verb('rm')
/**
 * See `builder rmi`.
 *
 * @example
 * ```ts
 * import { rmi } from 'builder-sdk'
 * await rmi(['web'], { force: true })
 * ```
 */
export const rmi = verb('rmi')
/**
 * See `builder tag`.
 *
 * @example
 * ```ts
 * import { tag } from 'builder-sdk'
 * await tag('web', ['web:1.0'])
 * ```
 */
export const tag = verb('tag')
/**
 * See `builder umount`.
 *
 * @example
 * ```ts
 * import { umount } from 'builder-sdk'
 * await umount(['web-build'])
 * ```
 */
export const umount = verb('umount')
/**
 * See `builder untag`.
 *
 * @example
 * ```ts
 * import { untag } from 'builder-sdk'
 * await untag('web', ['web:1.0'])
 * ```
 */
export const untag = verb('untag')
/**
 * See `builder version`.
 *
 * @example
 * ```ts
 * import { version } from 'builder-sdk'
 * console.log((await version()).version)
 * ```
 */
export const version = verb('version')
