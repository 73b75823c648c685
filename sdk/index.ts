/** The TypeScript door: what is not exported here is free to change. */
export { Container, type ContainerRunOptions, from, type RunOutput } from './door/container.js'
export {
  check,
  containers,
  images,
  info,
  inspect,
  materialize,
  mount,
  prune,
  pull,
  push,
  rename,
  rm,
  rmi,
  tag,
  umount,
  untag,
  version,
} from './door/functions.js'
export { inside } from './door/shell.js'
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
