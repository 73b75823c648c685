import { openContext } from '../containerfile/context.js'
import { findIgnoreFile } from '../containerfile/ignore-file.js'
import type { ContextFiles, NamedFiles } from '../containerfile/job.js'
import { findNamedContext } from '../containerfile/named-context.js'
import { BuilderError } from '../errors.js'
import type { BuildInputs } from './build-inputs.js'

/** The files of the build's own context. Throws `NOT_FOUND` where the context is a Containerfile alone. */
export function contextFiles({ context, ignore }: Pick<BuildInputs, 'context' | 'ignore'>): ContextFiles {
  if (context.containerfile === undefined) return { path: context.path, ...(ignore ? { ignore } : {}) }
  throw new BuilderError('NOT_FOUND', {
    operation: 'build',
    object: context.name,
    reason: 'the build has no context: it is a Containerfile alone',
    hint: 'name the folder of the files, and the Containerfile with -f',
  })
}

/** Opens named contexts, each when it is first used, and once. */
export function namedFiles({
  store,
  held,
  contexts,
  options,
}: Pick<BuildInputs, 'store' | 'held' | 'contexts' | 'options'>): BuildInputs['named'] {
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
