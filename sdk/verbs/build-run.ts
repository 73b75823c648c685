import { chmodSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { RunWork } from '../containerfile/workshop.js'
import type { Store } from '../store/store.js'
import { temporaryPath } from '../store/temporary.js'
import { otherRoot } from './other-root.js'
import type { RootOf } from './run-mounts.js'

/** Writes the program of a heredoc where the command can be shown it, for as long as it is held. */
export function scriptFile(store: Store, work: RunWork): { readonly work: RunWork } & AsyncDisposable {
  const { script } = work
  if (!script) return { work, async [Symbol.asyncDispose]() {} }
  const file = temporaryPath(store)
  writeFileSync(file, script.content)
  chmodSync(file, 0o755)
  return { work: { ...work, script: { ...script, file } }, [Symbol.asyncDispose]: () => rm(file, { force: true }) }
}

/** Finds the files that a mount's `from` names: those of a stage, an image, a folder. */
export function rootsIn(store: Store, { roots }: RunWork): RootOf {
  return async (name, signal) => {
    const root = roots.get(name)
    if (root?.kind === 'folder') return { path: root.path, async [Symbol.asyncDispose]() {} }
    return otherRoot(store, root?.id ?? name, 'RUN --mount', signal)
  }
}
