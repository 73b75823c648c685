import { rmSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { changeRoot } from '../store/change-root.js'
import type { ContainerRecord } from '../store/containers.js'
import { useRoot } from '../store/mounts.js'
import type { Store } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import { debianArchitecture } from './apt-architecture.js'
import { type FetchedDeb, type FetchProgress, fetchDebs } from './apt-archives.js'
import { extractPackages } from './apt-extract.js'
import { installFully, needMmdebstrap } from './apt-full.js'
import { readAptLock, writeAptLock } from './apt-lock.js'
import { type AptPlace, openAptPlace } from './apt-place.js'
import { type AptPlan, refreshLists, resolvePackages } from './apt-resolve.js'
import { type AptSourceOptions, type AptSources, aptSources } from './apt-sources.js'
import type { DebSelection } from './deb-left-out.js'
import { type DpkgRoot, readDpkgRoot, releaseOf, statusText } from './dpkg-root.js'
import type { LockRequest } from './package-lock.js'

/** What is asked of the host's apt. */
export interface AptRequest {
  readonly action: 'install' | 'remove' | 'upgrade' | 'download'
  /** Sorted, each once. */
  readonly packages: readonly string[]
  /** Absent: `full` where the container has a dpkg of its own, else `extract`. */
  readonly mode?: AptMode | undefined
  readonly from: AptSourceOptions
  /** As Debian or OCI names it; absent: the container's. */
  readonly architecture?: string | undefined
  readonly recommends: boolean
  readonly depends: boolean
  readonly exclude: readonly string[]
  readonly selection: DebSelection
  /** The lock file. */
  readonly lock?: string | undefined
  readonly offline: boolean
  /** Seconds since 1970. */
  readonly epoch?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (progress: FetchProgress) => void
  /** All is on this machine, and so many packages are about to be installed. */
  readonly onFetched?: (count: number) => void
}

/** `extract`: files only. `full`: with maintainer scripts. */
export type AptMode = 'extract' | 'full'

/** What was done. */
export interface AptChange {
  readonly mode: AptMode
  /** Installed, or with `download` fetched; by name. */
  readonly packages: readonly { readonly name: string; readonly version: string; readonly architecture: string }[]
  readonly removed: readonly string[]
}

/**
 * Changes the packages of a container as one step with the host's apt. Run it inside the namespace. Throws `USAGE`, `NOT_FOUND`,
 * `INVALID`, `DENIED`, `NETWORK`, `DIGEST`, `ID_MAP`, `RUN`, `UNSUPPORTED`, `SYSTEM`; then the container is as it was.
 */
export async function aptOn(store: Store, record: ContainerRecord, request: AptRequest): Promise<AptChange> {
  const operation = `apt ${request.action}`
  const folder = temporaryFolder(store)
  const work: Work = { store, record, request, operation, folder }
  try {
    const { result, keepLock } =
      request.action === 'download'
        ? await fetched(work)
        : await changeRoot(store, record.id, operation, (root) => change(work, root), request.signal)
    keepLock()
    return result
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Work {
  readonly store: Store
  readonly record: ContainerRecord
  readonly request: AptRequest
  readonly operation: string
  readonly folder: string
}

interface Prepared {
  readonly mode: AptMode
  readonly files: readonly FetchedDeb[]
  readonly removed: readonly string[]
  readonly has: DpkgRoot
  readonly architecture: string
  /** Writes the lock file where one is wanted and none is there. */
  readonly keepLock: () => void
}

type Done = Pick<Prepared, 'keepLock'> & { readonly result: AptChange }

async function fetched(work: Work): Promise<Done> {
  await using root = await useRoot(work.store, work.record.id, work.request.signal)
  const { files, mode, keepLock } = await prepare(work, root.path)
  return { result: { mode, packages: files.map(told), removed: [] }, keepLock }
}

async function change(work: Work, root: string): Promise<Done> {
  const { request, operation, folder } = work
  const { mode, files, removed, has, architecture, keepLock } = await prepare(work, root)
  const { selection, epoch, signal } = request
  const common = { operation, files, removed, architecture, selection, epoch, signal }
  const isNothing = files.length === 0 && removed.length === 0
  if (mode === 'extract' && !isNothing) await extractPackages(root, { ...common, installed: has.packages })
  if (mode === 'full' && !isNothing) await installFully(root, { ...common, folder })
  return { result: { mode, packages: files.map(told), removed }, keepLock }
}

/** Finds out what is needed, and has it on this machine. */
async function prepare(work: Work, root: string): Promise<Prepared> {
  const { store, record, request, operation } = work
  const has = readDpkgRoot(root)
  const mode = modeFor(has, request, operation)
  const own = debianArchitecture(undefined, operation)
  const architecture = debianArchitecture(request.architecture ?? record.config, operation)
  if (mode === 'full' && has.kind === 'empty') needMmdebstrap(operation, architecture, own)
  const asked = lockedRequest(request, mode, architecture)
  const lock = request.lock === undefined ? undefined : readAptLock(request.lock, asked)
  const sources = aptSources(request.from, architecture, releaseOf(root), operation)
  const { recommends, exclude, offline, signal, onProgress } = request
  const status = statusText(has.packages)
  using place = await openAptPlace(store, sources, { architecture, recommends, exclude }, status, operation)
  const plan = lock ?? (await resolve(work, place, sources, mode, has))
  const fetching = { operation, offline, signal, ...(onProgress ? { onProgress } : {}) }
  const files = await fetchDebs(store, place, plan.files, fetching)
  if (request.action !== 'download') request.onFetched?.(files.length)
  const keepLock = () => {
    if (request.lock !== undefined && !lock) writeAptLock(request.lock, asked, plan.files)
  }
  return { mode, files, removed: plan.removed, has, architecture, keepLock }
}

async function resolve(
  { store, request, operation }: Work,
  place: AptPlace,
  { fixed }: AptSources,
  mode: AptMode,
  has: DpkgRoot,
): Promise<AptPlan> {
  const { offline, signal, packages, depends } = request
  // What is there is enough to say what has to go.
  if (request.action !== 'remove') await refreshLists(store, place, { operation, offline, fixed, signal })
  const action = request.action === 'download' ? 'install' : request.action
  const isNew = mode === 'full' && has.kind === 'empty'
  // Else apt takes usrmerge, which turns a system that is not merged yet, and brings perl.
  const wanted = isNew ? ['?essential', '?exact-name(usr-is-merged)', ...packages] : packages
  return resolvePackages(store, place, { action, packages: wanted, depends }, { operation, signal })
}

function modeFor({ kind }: DpkgRoot, { mode, action, depends }: AptRequest, operation: string): AptMode {
  const usual = kind === 'system' ? 'full' : 'extract'
  const chosen = mode ?? usual
  const refuse = (reason: string, hint: string) => {
    throw new BuilderError('INVALID', { operation, object: `--mode ${chosen}`, reason, hint })
  }
  if (chosen === 'full' && kind === 'extracted')
    refuse(
      'the container has only extracted packages, and no dpkg that ran their scripts',
      'use --mode extract, or begin from scratch',
    )
  if (chosen === 'full' && kind === 'other' && action !== 'download')
    refuse(
      'the container has files, but no Debian system',
      'begin from scratch or a Debian image, or use --mode extract',
    )
  if (chosen === 'extract' && kind === 'system')
    refuse('the container has a Debian system, whose dpkg would not know of extracted files', 'use --mode full')
  if (chosen === 'full' && !depends) refuse('dpkg installs nothing without what it needs', 'leave out --no-depends')
  return chosen
}

/** What decides what a lock file says; where things are on this machine does not. */
function lockedRequest(request: AptRequest, mode: AptMode, architecture: string): LockRequest {
  const { action, packages, from, recommends, depends, exclude } = request
  return {
    ...from,
    keyring: undefined,
    fromHost: from.fromHost || undefined,
    action: action === 'download' ? 'install' : action,
    packages,
    mode,
    architecture,
    recommends: recommends || undefined,
    depends: depends ? undefined : false,
    exclude,
  }
}

function told({ name, version, architecture }: FetchedDeb) {
  return { name, version, architecture }
}
