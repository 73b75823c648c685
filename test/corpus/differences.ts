import type { Difference } from './compare.js'

type Config = Record<string, unknown>

/** A difference from a reference that is meant. Each has its line in docs/containerfile.md, "Where results differ". */
export interface Meant {
  readonly why: string
  readonly cases: readonly string[]
  readonly from: readonly ('BuildKit' | 'buildah')[]
  /** True for a difference of a file that is meant. */
  readonly file?: (difference: Difference) => boolean
  /** Fields of the other configuration that are meant not to be ours. */
  readonly config?: (theirs: Config) => Config
}

/** Takes what is meant out of what was found. Throws when a difference that is meant is not there: then its line is wrong. */
export function leaveOut(
  meant: readonly Meant[],
  found: readonly Difference[],
  theirs: Config,
): { readonly found: readonly Difference[]; readonly theirs: Config } {
  const rest = meant.reduce((left, { file }) => (file ? left.filter((one) => !file(one)) : left), found)
  const config = meant.reduce((left, { config }) => (config ? config(left) : left), theirs)
  if (meant.length > 0 && rest.length === found.length && JSON.stringify(config) === JSON.stringify(theirs))
    throw new Error(`not so: ${meant.map(({ why }) => why).join('; ')}`)
  return { found: rest, theirs: config }
}

const bothTools = ['BuildKit', 'buildah'] as const

export const differences: readonly Meant[] = [
  {
    why: 'BuildKit takes no extended attributes of users out of the context',
    cases: ['add-several', 'copy-dot', 'copy-two-folders', 'copy-wildcard', 'copy-xattr'],
    from: ['BuildKit'],
    file: ({ ours }) => JSON.stringify(Object.keys(ours ?? {})) === '["xattrs"]',
  },
  {
    why: 'BuildKit gives an image from scratch a PATH and a working folder',
    cases: ['copy-from-image', 'copy-from-number', 'from-scratch', 'multi-stage'],
    from: ['BuildKit'],
    config: ({ WorkingDir, Env, ...theirs }) => {
      const own = ((Env ?? []) as string[]).filter((entry) => !entry.startsWith('PATH='))
      return { ...(own.length > 0 ? { Env: own } : {}), ...(WorkingDir === '/' ? {} : { WorkingDir }), ...theirs }
    },
  },
  {
    why: 'the folder that a mount made stays',
    cases: ['run-mount-bind', 'run-mount-bind-rw', 'run-mount-bind-stage', 'run-mount-cache', 'run-mount-tmpfs'],
    from: bothTools,
    file: ({ ours, theirs }) => ours === undefined && theirs?.kind === 'folder',
  },
  {
    why: 'the files that a mount made stay',
    cases: ['run-mount-secret'],
    from: bothTools,
    file: ({ path, ours }) => ours === undefined && /^\/(run\/secrets(\/(token|none))?|t)$/.test(path),
  },
  {
    why: 'these tools do not know --link: with it, folders on the way come from an empty image, owner and all',
    cases: ['copy-link-flag'],
    from: bothTools,
    file: ({ path, ours }) => path === '/srv' && ours?.owner === '33:34',
  },
  {
    why: 'BuildKit leaves the owners in an archive as they are',
    cases: ['add-archive-chown'],
    from: ['BuildKit'],
    file: ({ ours }) => ours?.owner === '33:34',
  },
  {
    why: 'this BuildKit drops the set-user-ID bit of --chmod',
    cases: ['copy-chmod'],
    from: ['BuildKit'],
    file: ({ ours, theirs }) => ours?.mode === '4711' && theirs?.mode === '711',
  },
]
