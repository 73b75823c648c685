import type { RunWork } from '../../containerfile/workshop.js'
import type { Store } from '../../store/store.js'
import type { RootOf } from '../run/mount-setting.js'
import { otherRoot } from '../run/other-root.js'

/** Finds the files that a mount's `from` names: those of a stage, an image, a folder. */
export function rootsIn(store: Store, { roots }: RunWork): RootOf {
  return async (name, signal) => {
    const root = roots.get(name)
    if (root?.kind === 'folder') return { path: root.path, async [Symbol.asyncDispose]() {} }
    return otherRoot(store, root?.id ?? name, 'RUN --mount', signal)
  }
}
