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

const isPath = (entry: string) => entry.startsWith('PATH=')
const bothTools = ['BuildKit', 'buildah'] as const

export const differences: readonly Meant[] = [
  {
    why: 'BuildKit takes no extended attributes of users out of the context',
    cases: ['add-several', 'copy-dot', 'copy-two-folders', 'copy-wildcard', 'copy-xattr'],
    from: ['BuildKit'],
    file: ({ ours }) => JSON.stringify(Object.keys(ours ?? {})) === '["xattrs"]',
  },
  {
    why: 'an image from scratch gets a PATH, and from BuildKit a working folder',
    cases: ['copy-from-image', 'copy-from-number', 'from-scratch', 'multi-stage'],
    from: bothTools,
    config: ({ WorkingDir, Env, ...theirs }) => {
      const own = ((Env ?? []) as string[]).filter((entry) => !entry.startsWith('PATH='))
      const folder = WorkingDir === undefined || WorkingDir === '/' ? {} : { WorkingDir }
      return { ...(own.length > 0 ? { Env: own } : {}), ...folder, ...theirs }
    },
  },
  {
    why: 'the folder that a mount made stays',
    cases: ['run-mount-bind', 'run-mount-bind-rw', 'run-mount-bind-stage', 'run-mount-cache', 'run-mount-tmpfs'],
    from: ['BuildKit'],
    file: ({ ours, theirs }) => ours === undefined && theirs?.kind === 'folder',
  },
  {
    why: 'buildah writes through the rw of a bind into the context',
    cases: ['run-mount-bind-rw'],
    from: ['buildah'],
    file: ({ path }) => path === '/got',
  },
  {
    why: 'buildah makes the folders of VOLUME',
    cases: ['volume'],
    from: ['buildah'],
    file: ({ ours, theirs }) => ours === undefined && theirs?.kind === 'folder',
  },
  {
    why: 'buildah uses the first SHELL for RUN only',
    cases: ['run-shell-instruction'],
    from: ['buildah'],
    config: ({ Cmd, Entrypoint, ...theirs }) => {
      const shell = ['/bin/busybox', 'sh', '-ec']
      return {
        ...theirs,
        Cmd: [...shell, ...(Cmd as string[]).slice(2)],
        Entrypoint: [...shell, ...(Entrypoint as string[]).slice(2)],
      }
    },
  },
  {
    why: 'buildah puts a changed variable behind the others',
    cases: ['run-env'],
    from: ['buildah'],
    config: ({ Env, ...theirs }) => {
      const [path = '', ...rest] = [...(Env as string[])].sort((a, b) => Number(isPath(b)) - Number(isPath(a)))
      return { ...theirs, Env: [path, ...rest] }
    },
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
    why: 'the owners in an archive stay as they are',
    cases: ['add-archive-chown'],
    from: bothTools,
    file: ({ ours }) => ours?.owner === '33:34',
  },
  {
    why: 'buildah drops the set-user-ID bit of files',
    cases: ['copy-dot', 'copy-modes-kept'],
    from: ['buildah'],
    file: ({ ours, theirs }) => ours?.mode === '4755' && theirs?.mode === '755',
  },
  {
    why: 'buildah keeps a range of ports as one entry, which the image specification does not know',
    cases: ['expose'],
    from: ['buildah'],
    config: ({ ExposedPorts, ...theirs }) => {
      const { '7000-7002/tcp': range, ...ports } = ExposedPorts as Config
      const each = range ? { '7000/tcp': {}, '7001/tcp': {}, '7002/tcp': {} } : {}
      return { ...theirs, ExposedPorts: { ...ports, ...each } }
    },
  },
  {
    why: 'this BuildKit drops the set-user-ID bit of --chmod',
    cases: ['copy-chmod'],
    from: ['BuildKit'],
    file: ({ ours, theirs }) => ours?.mode === '4711' && theirs?.mode === '711',
  },
]
