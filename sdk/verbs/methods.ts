import type { BegunRun } from './begun-run.js'

/** Everything that an engine does for its client, by name; each is loaded when it is first asked for. */
export const methods = {
  add: async () => (await import('./add.js')).add,
  beginRun: async () => (await import('./begin-run.js')).beginRun,
  check: async () => (await import('./check.js')).check,
  commit: async () => (await import('./commit.js')).commit,
  config: async () => (await import('./config.js')).config,
  containers: async () => (await import('./containers.js')).containers,
  copy: async () => (await import('./copy.js')).copy,
  endRun: async () => (await import('./begin-run.js')).endRun,
  from: async () => (await import('./from.js')).from,
  images: async () => (await import('./images.js')).images,
  info: async () => (await import('./info.js')).info,
  inspect: async () => (await import('./inspect.js')).inspect,
  materialize: async () => (await import('./materialize.js')).materialize,
  mount: async () => (await import('./mount.js')).mount,
  prune: async () => (await import('./prune.js')).prune,
  pull: async () => (await import('./pull.js')).pull,
  push: async () => (await import('./push.js')).push,
  rename: async () => (await import('./rename.js')).rename,
  rm: async () => (await import('./rm.js')).rm,
  rmi: async () => (await import('./rmi.js')).rmi,
  tag: async () => (await import('./tag.js')).tag,
  umount: async () => (await import('./umount.js')).umount,
  untag: async () => (await import('./untag.js')).untag,
  version: async () => (await import('./version.js')).version,
} as const

export type Methods = typeof methods
export type MethodName = keyof Methods
/** The function behind a method. */
export type Method<N extends MethodName> = Awaited<ReturnType<Methods[N]>>
export type { BegunRun }
