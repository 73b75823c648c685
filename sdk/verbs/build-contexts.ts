import { type Context, openContext } from '../containerfile/context.js'
import type { Held } from '../containerfile/held.js'
import { findIgnoreFile, type IgnoreFile } from '../containerfile/ignore-file.js'
import type { ContextFiles, NamedFiles } from '../containerfile/job.js'
import { findNamedContext, type NamedContext } from '../containerfile/named-context.js'
import { BuilderError } from '../errors.js'
import type { Store } from '../store/store.js'

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

/** Opens named contexts, each when it is first used, and once. */
export function namedFiles({ store, held, contexts, options }: Opening) {
  const opened = new Map<string, Promise<NamedFiles>>()
  return (name: string): Promise<NamedFiles> | undefined => {
    const context = findNamedContext(contexts, name)
    if (!context) return undefined
    if (context.kind === 'image') return Promise.resolve({ kind: 'image', name: context.image })
    const open = async (): Promise<NamedFiles> => {
      const signal = options.signal ? { signal: options.signal } : {}
      const { path } = held.use(await openContext(context.where, { store, ...signal }))
      const ignore = await findIgnoreFile(path)
      return { kind: 'files', path, ...(ignore ? { ignore } : {}) }
    }
    const files = opened.get(context.name) ?? open()
    opened.set(context.name, files)
    return files
  }
}

/** What named contexts are opened with. */
interface Opening {
  readonly store: Store
  readonly held: Held
  readonly contexts: ReadonlyMap<string, NamedContext>
  readonly options: { readonly signal?: AbortSignal }
}
