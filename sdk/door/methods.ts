import type { BegunRun } from '../verbs/begun-run.js'

/** Everything that an engine does for its client, by name; each is loaded when it is first asked for. */
export const methods = {
  add: async () => (await import('../verbs/add.js')).add,
  beginRun: async () => (await import('../verbs/begin-run.js')).beginRun,
  build: async () => (await import('../verbs/build.js')).build,
  check: async () => (await import('../verbs/check.js')).check,
  commit: async () => (await import('../verbs/commit.js')).commit,
  config: async () => (await import('../verbs/config.js')).config,
  containers: async () => (await import('../verbs/containers.js')).containers,
  convert: async () => (await import('../verbs/convert.js')).convert,
  copy: async () => (await import('../verbs/copy.js')).copy,
  deleteImage: async () => (await import('../verbs/delete.js')).deleteImage,
  dnf: async () => (await import('../verbs/dnf.js')).dnf,
  endRun: async () => (await import('../verbs/begin-run.js')).endRun,
  from: async () => (await import('../verbs/from.js')).from,
  history: async () => (await import('../verbs/history.js')).history,
  imageCopy: async () => (await import('../verbs/image-copy.js')).imageCopy,
  imageInspect: async () => (await import('../verbs/image-inspect.js')).imageInspect,
  images: async () => (await import('../verbs/images.js')).images,
  info: async () => (await import('../verbs/info.js')).info,
  inspect: async () => (await import('../verbs/inspect.js')).inspect,
  listTags: async () => (await import('../verbs/list-tags.js')).listTags,
  login: async () => (await import('../verbs/login.js')).login,
  logout: async () => (await import('../verbs/logout.js')).logout,
  manifestAdd: async () => (await import('../verbs/manifest-add.js')).manifestAdd,
  manifestAnnotate: async () => (await import('../verbs/manifest-annotate.js')).manifestAnnotate,
  manifestCreate: async () => (await import('../verbs/manifest-create.js')).manifestCreate,
  manifestExists: async () => (await import('../verbs/manifest-exists.js')).manifestExists,
  manifestInspect: async () => (await import('../verbs/manifest-inspect.js')).manifestInspect,
  manifestPush: async () => (await import('../verbs/manifest-push.js')).manifestPush,
  manifestRemove: async () => (await import('../verbs/manifest-remove.js')).manifestRemove,
  manifestRm: async () => (await import('../verbs/manifest-rm.js')).manifestRm,
  materialize: async () => (await import('../verbs/materialize.js')).materialize,
  mount: async () => (await import('../verbs/mount.js')).mount,
  plan: async () => (await import('../verbs/plan.js')).plan,
  preprocess: async () => (await import('../verbs/preprocess.js')).preprocess,
  prune: async () => (await import('../verbs/prune.js')).prune,
  pull: async () => (await import('../verbs/pull.js')).pull,
  push: async () => (await import('../verbs/push.js')).push,
  referrers: async () => (await import('../verbs/referrers.js')).referrers,
  rename: async () => (await import('../verbs/rename.js')).rename,
  rm: async () => (await import('../verbs/rm.js')).rm,
  rmi: async () => (await import('../verbs/rmi.js')).rmi,
  sync: async () => (await import('../verbs/sync.js')).sync,
  tag: async () => (await import('../verbs/tag.js')).tag,
  tree: async () => (await import('../verbs/tree.js')).tree,
  umount: async () => (await import('../verbs/umount.js')).umount,
  untag: async () => (await import('../verbs/untag.js')).untag,
  workdir: async () => (await import('../verbs/workdir.js')).workdir,
  version: async () => (await import('../verbs/version.js')).version,
} as const

export type Methods = typeof methods
export type MethodName = keyof Methods
/** The function behind a method. */
export type Method<N extends MethodName> = Awaited<ReturnType<Methods[N]>>
export type { BegunRun }
