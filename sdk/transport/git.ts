import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import { type GitAddress, parseGitAddress, shownGit } from './git-address.js'
import { bareName, checkOut } from './git-checkout.js'
import { type Git, gitIn } from './git-run.js'

export { isGitAddress } from './git-address.js'

/** How a repository is fetched. */
export interface GitOptions {
  /** Leave `.git` in the folder; not with a folder of the repository. Default: what the address says, else false. */
  readonly keepGitDir?: boolean
  /** The commit that it must be, or how that begins. */
  readonly checksum?: string
  /** Whether `file://` may be read: for what the user names, not for what stands in a Containerfile. */
  readonly allowsFiles?: boolean
  /** A token for an `https://` address, as the build secret `GIT_AUTH_TOKEN` of docker. */
  readonly token?: string
  readonly signal?: AbortSignal
}

/** A commit of a repository. */
export interface GitCommit {
  /** All its hexadecimal digits. */
  readonly commit: string
}

/** What was fetched. */
export interface FetchedGit extends GitCommit {
  /** When it was committed, in seconds since 1970: the time that all files have. */
  readonly time: number
}

/**
 * Fetches one commit of a git repository and its submodules into a new folder, without its history. The same commit gives the
 * same files, modes and times everywhere. Nothing that the repository holds is executed.
 *
 * Throws `UNSUPPORTED` when git is not installed, `NOT_FOUND` for a repository, ref or folder that is not there, `DIGEST` for
 * another commit than `checksum` says, `USAGE`, `NETWORK`, `DENIED`, `SYSTEM`, `ABORTED`. Source: Dockerfile reference, "ADD".
 *
 * @param into - A path where nothing is; its folder must be there.
 */
export async function fetchGit(text: string, into: string, options: GitOptions = {}): Promise<FetchedGit> {
  const address = addressOf(text, options)
  const work = `${into}.git`
  await mkdir(work, { mode: 0o755 })
  try {
    const git = gitFor(address, work, text, options)
    await git(['init', '-q', '--template='])
    const commit = await fetchCommit(git, address, shownGit(text))
    checkCommit(address, commit, shownGit(text))
    const time = await checkOut(git, work, commit, { address, name: shownGit(text) })
    await rename(subfolder(address) ? join(work, subfolder(address)) : work, into)
    return { commit, time }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/**
 * Asks a repository which commit an address means, without fetching it; an address that names a whole commit is not asked. Throws
 * as {@link fetchGit}.
 */
export async function resolveGit(text: string, options: GitOptions = {}): Promise<GitCommit> {
  const address = addressOf(text, options)
  const wanted = wantedCommit(address)
  if (wanted !== undefined) return { commit: wanted }
  const found = await findRef(gitFor(address, '/', text, options), address, shownGit(text))
  checkCommit(address, found.commit, shownGit(text))
  return { commit: found.commit }
}

function addressOf(text: string, { checksum, keepGitDir, allowsFiles = false }: GitOptions): GitAddress {
  const address = parseGitAddress(text)
  if (address.url.startsWith('file:') && !allowsFiles) {
    const reason = 'a repository of this machine cannot be named here'
    const hint = 'give it to the build as a context (--build-context NAME=FOLDER)'
    throw new BuilderError('UNSUPPORTED', { operation: 'fetch', object: shownGit(text), reason, hint })
  }
  const both = checksum !== undefined && address.checksum !== undefined && checksum !== address.checksum
  if (both || (checksum !== undefined && !/^[0-9a-f]{7,64}$/.test(checksum))) {
    const reason = both ? 'it has another checksum behind ?' : `${JSON.stringify(checksum)} is not a commit`
    const hint = 'write the hexadecimal digits of the commit'
    throw new BuilderError('USAGE', { operation: 'fetch', object: shownGit(text), reason, hint })
  }
  return {
    ...address,
    ...(checksum === undefined ? {} : { checksum }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
  }
}

function gitFor(address: GitAddress, folder: string, text: string, { token, allowsFiles, signal }: GitOptions): Git {
  const login = address.credentials ?? (token === undefined ? undefined : `x-access-token:${token}`)
  const isHttp = /^https?:/.test(address.url)
  const encoded = login === undefined ? undefined : Buffer.from(login).toString('base64')
  const password = login?.slice(login.indexOf(':') + 1)
  return gitIn({
    folder,
    name: shownGit(text),
    allowsFiles: allowsFiles ?? false,
    ...(encoded !== undefined && isHttp
      ? { header: { origin: new URL(address.url).origin, line: `Authorization: Basic ${encoded}` } }
      : {}),
    secrets: [login, encoded, password].filter((one): one is string => one !== undefined && one !== ''),
    ...(signal ? { signal } : {}),
  })
}

/** A whole commit that was named: nothing else has to be asked for. */
function wantedCommit({ ref, checksum }: GitAddress): string | undefined {
  if (ref?.kind === 'any' && wholeCommit.test(ref.name)) return ref.name
  return ref === undefined && checksum !== undefined && wholeCommit.test(checksum) ? checksum : undefined
}

const wholeCommit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

async function fetchCommit(git: Git, address: GitAddress, name: string): Promise<string> {
  const wanted = wantedCommit(address)
  if (wanted === undefined) {
    const { ref } = await findRef(git, address, name)
    await fetchRefs(git, address, [`+${ref}:${fetched}`])
  } else
    try {
      await fetchRefs(git, address, [`+${wanted}:${fetched}`])
    } catch (error) {
      if (
        !(error instanceof BuilderError) ||
        !/unadvertised|not our ref|no such remote ref|remote ref/.test(error.reason)
      )
        throw error
      await findInHistory(git, address, wanted, name)
    }
  return (await git(['rev-parse', '--verify', '-q', `${fetched}^{commit}`])).trim()
}

async function fetchRefs(git: Git, { url }: GitAddress, refs: readonly string[], depth = ['--depth=1']): Promise<void> {
  const words = ['fetch', '-q', ...depth, '--no-tags', '--no-recurse-submodules', '--', url, ...refs]
  await git(words).catch((error) => {
    // A server that only hands out files knows no depth.
    if (depth.length > 0 && /dumb http/.test(String(error))) return fetchRefs(git, { url }, refs, [])
    throw error
  })
}

/** A server that gives no single commit gives its branches and tags. */
async function findInHistory(git: Git, address: GitAddress, wanted: string, name: string): Promise<void> {
  const all = ['+refs/heads/*:refs/builder/heads/*', '+refs/tags/*:refs/builder/tags/*']
  await fetchRefs(git, address, all, [])
  await git(['update-ref', fetched, wanted]).catch(() => {
    throw absent(name, `commit ${wanted}`)
  })
}

const fetched = 'refs/builder/fetched'

/** The ref that a name means: a tag before a branch, as git itself has it. Source: gitrevisions(7). */
async function findRef(
  git: Git,
  { url, ref }: GitAddress,
  name: string,
): Promise<GitCommit & { readonly ref: string }> {
  const candidates = ref === undefined ? ['HEAD'] : places[ref.kind].map((place) => `${place}${ref.name}`)
  const printed = await git(['ls-remote', '-q', '--', url, ...candidates.flatMap((it) => [it, `${it}^{}`])])
  const known = new Map(printed.split('\n').flatMap((line) => pairOf(line)))
  const found = candidates.find((candidate) => known.has(candidate))
  const commit = found === undefined ? undefined : (known.get(`${found}^{}`) ?? known.get(found))
  if (found !== undefined && commit !== undefined) return { ref: found, commit }
  throw absent(
    name,
    ref === undefined ? 'commit' : `${ref.kind === 'any' ? 'branch, tag or commit' : ref.kind} ${ref.name}`,
  )
}

const places = {
  branch: ['refs/heads/'],
  tag: ['refs/tags/'],
  any: ['', 'refs/tags/', 'refs/heads/', 'refs/'],
} as const

function pairOf(line: string): (readonly [string, string])[] {
  const [commit = '', ref = ''] = line.split('\t')
  return /^[0-9a-f]{40,64}$/.test(commit) ? [[ref, commit]] : []
}

function checkCommit({ checksum }: GitAddress, commit: string, name: string): void {
  if (checksum === undefined || commit.startsWith(checksum)) return
  const reason = `it is commit ${commit}, not ${checksum}`
  const hint = 'check where it comes from, or the checksum'
  throw new BuilderError('DIGEST', { operation: 'fetch', object: name, reason, hint })
}

function subfolder(address: GitAddress): string {
  return bareName(address.subdir ?? '')
}

function absent(object: string, what: string): BuilderError {
  const hint = 'check its name, and that it was pushed'
  return new BuilderError('NOT_FOUND', { operation: 'fetch', object, reason: `the repository has no ${what}`, hint })
}
