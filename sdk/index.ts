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
export type { RunOptions } from './verbs/run.js'
export type { TagOptions } from './verbs/tag.js'
export type { UmountOptions } from './verbs/umount.js'
export type { UntagOptions } from './verbs/untag.js'
export type { VersionOptions, VersionResult } from './verbs/version.js'

/** See `builder check`. */
export const check = verb('check')
/** See `builder containers`. */
export const containers = verb('containers')
/** See `builder images`. */
export const images = verb('images')
/** See `builder info`. */
export const info = verb('info')
/** See `builder inspect`. */
export const inspect = verb('inspect')
/** See `builder materialize`. */
export const materialize = verb('materialize')
/** See `builder mount`. */
export const mount = verb('mount')
/** See `builder prune`. */
export const prune = verb('prune')
/** See `builder pull`. */
export const pull = verb('pull')
/** See `builder push`. */
export const push = verb('push')
/** See `builder rename`. */
export const rename = verb('rename')
/** See `builder rm`. */
export const rm = verb('rm')
/** See `builder rmi`. */
export const rmi = verb('rmi')
/** See `builder tag`. */
export const tag = verb('tag')
/** See `builder umount`. */
export const umount = verb('umount')
/** See `builder untag`. */
export const untag = verb('untag')
/** See `builder version`. */
export const version = verb('version')
