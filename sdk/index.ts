/** The TypeScript door: what is not exported here is free to change. */
export type { BuildEvent, PlannedStage, StepEnd } from './containerfile/event.js'
export type { Position, Warning } from './containerfile/syntax.js'
export type { CycloneDxComponent, CycloneDxDocument } from './distro/cyclonedx.js'
export type { InstalledPackage } from './distro/installed-package.js'
export type { Distribution } from './distro/os-release.js'
export type { PackageHolder, PackageList } from './distro/package-list.js'
export type { SpdxDocument, SpdxPackage } from './distro/spdx.js'
export { build, convert, plan } from './door/build-functions.js'
export { Container, type ContainerRunOptions, from } from './door/container.js'
export {
  check,
  containers,
  images,
  info,
  inspect,
  logs,
  materialize,
  mount,
  preprocess,
  prune,
  rename,
  rm,
  rmi,
  runlabel,
  stop,
  tag,
  umount,
  untag,
  version,
} from './door/functions.js'
export { generateKube, generateQuadlet } from './door/generate-functions.js'
export {
  history,
  manifestAdd,
  manifestAnnotate,
  manifestCreate,
  manifestExists,
  manifestInspect,
  manifestPush,
  manifestRemove,
  manifestRm,
  tree,
} from './door/list-functions.js'

export { packages } from './door/package-functions.js'

export { type RunImageCall, type RunImageOutput, runImage } from './door/run-image.js'
export type { RunOutput, RunStreams } from './door/run-output.js'

export { inside } from './door/shell.js'
export {
  deleteImage,
  imageCopy,
  imageInspect,
  listTags,
  login,
  logout,
  pull,
  push,
  referrers,
  sync,
} from './door/transfer-functions.js'
export { BuilderError, type ErrorCode, type ErrorParts, RunError, type RunFailure } from './errors.js'
export type { Descriptor } from './image/descriptor.js'
export type { Index } from './image/manifest.js'
export type { ListedPlatform } from './image/platform.js'
export type { Ask, AskKind } from './runlabel/ask.js'
export {
  type LabelCommandOptions,
  type LabelRunOptions,
  type LabelWordsOptions,
  label,
} from './runlabel/label.js'
export type { RunLabel } from './runlabel/list-labels.js'
export type { Verdict } from './runlabel/policy.js'
export type { RunFlags } from './runlabel/run-flags.js'
export type { StepExplanation } from './steps/step.js'
export type { AddOptions } from './verbs/add.js'
export type { AptOptions, AptResult } from './verbs/apt.js'
export type { BuildProgressOptions } from './verbs/build/progress.js'
export type { PlanningOptions } from './verbs/build/source.js'
export type { BuildOptions, BuildResult } from './verbs/build.js'
export type { CheckOptions, CheckResult } from './verbs/check.js'
export type { CommitOptions, CommitResult } from './verbs/commit.js'
export type { ConfigOptions } from './verbs/config.js'
export type { ContainerSummary, ContainersOptions } from './verbs/containers.js'
export type { ConvertResult, ConvertVerbOptions } from './verbs/convert.js'
export type { CopyOptions, CopyResult } from './verbs/copy.js'
export type { DeleteOptions, DeleteResult } from './verbs/delete.js'
export type { DnfOptions, DnfResult } from './verbs/dnf.js'
export type { ExecHostOptions } from './verbs/exec-host.js'
export type { FromOptions } from './verbs/from.js'
export type { GenerateKubeOptions } from './verbs/generate-kube.js'
export type { GenerateQuadletOptions } from './verbs/generate-quadlet.js'
export type { GlobalOptions } from './verbs/global.js'
export type { HistoryEntry, HistoryOptions } from './verbs/history.js'
export type { ImageCopyOptions, ImageCopyResult } from './verbs/image-copy.js'
export type { ImageInspection, ImageInspectOptions, LayerData } from './verbs/image-inspect.js'
export type { RunImageOptions } from './verbs/image-run/options.js'
export type { ImageSummary, ImagesOptions } from './verbs/images.js'
export type { InfoOptions, InfoResult } from './verbs/info.js'
export type { Inspection, InspectOptions } from './verbs/inspect.js'
export type { ListTagsOptions, TagList } from './verbs/list-tags.js'
export type { LoginOptions, LoginResult } from './verbs/login.js'
export type { LogoutOptions } from './verbs/logout.js'
export type { ManifestAddOptions, ManifestMemberResult, MemberOptions } from './verbs/manifest-add.js'
export type { ManifestAnnotateOptions } from './verbs/manifest-annotate.js'
export type { ManifestCreateOptions, ManifestResult } from './verbs/manifest-create.js'
export type { ManifestExistsOptions, ManifestExistsResult } from './verbs/manifest-exists.js'
export type { ManifestInspectOptions } from './verbs/manifest-inspect.js'
export type { ManifestPushOptions, ManifestPushResult } from './verbs/manifest-push.js'
export type { ManifestRemoveOptions } from './verbs/manifest-remove.js'
export type { ManifestRmOptions } from './verbs/manifest-rm.js'
export type { MaterializeOptions } from './verbs/materialize.js'
export type { Mounted, MountOptions } from './verbs/mount.js'
export { cycloneDxDocument, spdxDocument } from './verbs/packages/documents.js'
export type { PackagesOptions } from './verbs/packages.js'
export type { PlacingOptions } from './verbs/placing.js'
export type { PlanOptions } from './verbs/plan.js'
export type { PreprocessOptions, PreprocessResult } from './verbs/preprocess.js'
export type { ProgressEvent } from './verbs/progress/event.js'
export type { ProgressOptions } from './verbs/progress/progress.js'
export type { PruneOptions, PruneResult } from './verbs/prune.js'
export type { PullOptions, PullResult } from './verbs/pull.js'
export type { PushOptions, PushResult } from './verbs/push.js'
export type { Referrer, ReferrersOptions } from './verbs/referrers.js'
export type { RenameOptions } from './verbs/rename.js'
export type { RmOptions } from './verbs/rm.js'
export type { RmiOptions } from './verbs/rmi.js'
export type { RunOptions } from './verbs/run/options.js'
export type { RunlabelOptions, RunlabelResult } from './verbs/runlabel.js'
export type { StopOptions } from './verbs/stop.js'
export type { SyncedImage, SyncOptions } from './verbs/sync.js'
export type { TagOptions } from './verbs/tag.js'
export type { CopyOutline, PlannedBlob, PlannedManifest } from './verbs/transfer/copy-plan.js'
export type { SidesOptions } from './verbs/transfer/copy-sides.js'
export type { TransferOptions } from './verbs/transfer/copy-transfer.js'
export type { TreeBranch, TreeLayer, TreeOptions, TreeResult } from './verbs/tree.js'
export type { UmountOptions } from './verbs/umount.js'
export type { UntagOptions } from './verbs/untag.js'
export type { VersionOptions, VersionResult } from './verbs/version.js'
