import { type Context, openContext } from '../../containerfile/context.js'
import type { Held } from '../../containerfile/held.js'
import { findIgnoreFile, type IgnoreFile } from '../../containerfile/ignore-file.js'
import type { BuildJob, ContextFiles, NamedFiles } from '../../containerfile/job.js'
import { findNamedContext, type NamedContext } from '../../containerfile/named-context.js'
import { BuilderError } from '../../errors.js'
import type { Store } from '../../store/store.js'

/** The files of the build's own context. Throws `NOT_FOUND` where the context is a Containerfile alone. */
export function contextFiles({
  context,
  ignore,
}: {
  readonly context: Context
  readonly ignore?: IgnoreFile
}): ContextFiles {
  if (context.containerfile === undefined) return { path: context.path, ...(ignore ? { ignore } : {}) }
  throw new BuilderError('NOT_FOUND', {
    operation: 'build',
    object: context.name,
    reason: 'the build has no context: it is a Containerfile alone',
    hint: 'name the folder of the files, and the Containerfile with -f',
  })
}

/** What named contexts are opened with. */
export interface NamedInputs {
  readonly store: Store
  /** Releases them. */
  readonly held: Held
  readonly contexts: ReadonlyMap<string, NamedContext>
}

/** Opens named contexts, each when it is first used, and once. */
export function namedFiles({ store, held, contexts }: NamedInputs): BuildJob['named'] {
  const opened = new Map<string, Promise<NamedFiles>>()
  return (name, signal) => {
    const context = findNamedContext(contexts, name)
    if (!context) return undefined
    if (context.kind === 'image') return Promise.resolve({ kind: 'image', name: context.image })
    const open = async (): Promise<NamedFiles> => {
      const { path } = held.use(await openFiles(store, context.where, signal))
      const ignore = await findIgnoreFile(path)
      return { kind: 'files', path, ...(ignore ? { ignore } : {}) }
    }
    const files = opened.get(context.name) ?? open()
    opened.set(context.name, files)
    return files
  }
}

/** Files of a folder, an archive or a repository, or programs of this machine. */
async function openFiles(store: Store, where: string, signal: AbortSignal) {
  if (!where.startsWith('closure:')) return openContext(where, { store, signal })
  const { closureFolder } = await import('./closure.js')
  return closureFolder(store, where)
}
