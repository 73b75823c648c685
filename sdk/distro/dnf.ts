import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { BuilderError } from '../errors.js'
import { isInUserNamespace } from '../namespace/inside.js'
import { resolveInRoot } from '../namespace/rooted-path.js'
import { changeRoot } from '../store/change-root.js'
import type { ContainerRecord } from '../store/containers.js'
import type { Store } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import { type DnfSwitches, dnfArguments } from './dnf-arguments.js'
import { dnfCache, keepMetadata, keepPackage, takeMetadata } from './dnf-cache.js'
import { type DnfPlaces, type DnfSettings, dnfConfig, repositoryText, rpmMacros } from './dnf-config.js'
import { type DnfEvent, nevraOf, parseDnfEvent } from './dnf-event.js'
import { type DnfOutcome, dnfFailure } from './dnf-failure.js'
import { dnfPlugin } from './dnf-plugin.js'
import { type DnfProgram, findDnf } from './dnf-program.js'
import type { DnfRequest } from './dnf-request.js'
import { type LockRequest, type PackageLock, readPackageLock, writePackageLock } from './package-lock.js'
import { makeMountpoints } from './root-mountpoints.js'
import { runOnRoot } from './root-process.js'
import { closeDatabase, rpmDatabasePath, settleDatabasePlace } from './rpm-place.js'
import { clampTimes, dropLeftovers } from './tidy-root.js'

/** How a request is carried out. */
export interface DnfWork extends DnfSettings, DnfSwitches {
  readonly request: DnfRequest
  /** The host's own repositories, beside those that are named. */
  readonly fromHost: boolean
  /** Absolute path of a lock file. */
  readonly lock?: string | undefined
  /** Seconds since 1970; without it the time at which the newest package was built. */
  readonly epoch?: number | undefined
  /** Absolute path of the folder that `download` fills. */
  readonly destination: string
  /** `http_proxy` and the like. */
  readonly proxies: Readonly<Record<string, string>>
  readonly onEvent: (event: DnfEvent) => void
  readonly signal?: AbortSignal | undefined
}

/** What came of it. Packages are named `name-[epoch:]version-release.arch`. */
export interface DnfDone {
  readonly installed: readonly string[]
  readonly removed: readonly string[]
  /** What dnf printed. */
  readonly stdout: string
}

/**
 * Has the host's dnf change a container's root, as one step: a request that fails leaves the container as it was. Nothing of
 * the host's configuration is used, and nothing but what the packages hold stays in the root. Run it inside the namespace.
 *
 * Throws `UNSUPPORTED` without a dnf and for devices that a plain user cannot make, `NOT_FOUND` for packages that are nowhere,
 * `NETWORK`, `DENIED` for what is not signed, `ID_MAP`, `INVALID` for a lock of something else, `RUN`, `SYSTEM`, `ABORTED`.
 */
export async function runDnf(store: Store, record: ContainerRecord, work: DnfWork): Promise<DnfDone> {
  const program = await findDnf()
  const lock = lockFor(program, work)
  const state = temporaryFolder(store)
  const run: Run = { store, record, work, program, state, lock }
  let done: DnfDone | undefined
  try {
    return await changeRoot(
      store,
      record.id,
      'dnf',
      async (root, written) => {
        done = await onRoot(run, root, written)
        // What only reads changes nothing, whatever dnf made on its way.
        if (work.request.does !== 'changes') throw new Error('discarded')
        return done
      },
      work.signal,
    )
  } catch (error) {
    if (done && work.request.does !== 'changes') return done
    throw error
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
}

interface Run {
  readonly store: Store
  readonly record: ContainerRecord
  readonly work: DnfWork
  readonly program: DnfProgram
  /** A folder of this run alone. */
  readonly state: string
  readonly lock: PackageLock | undefined
}

async function onRoot(run: Run, root: string, written: string | undefined): Promise<DnfDone> {
  const { store, work } = run
  const made = newFolders(root)
  const dbpath = rpmDatabasePath(root, work.releasever)
  const places = prepare(run, root, dbpath)
  const outcome = await execute(run, places)
  const done = doneOf(outcome)
  await keep(store, places, outcome)
  const failed = dnfFailure(run.record.name, outcome)
  if (failed) throw failed
  if (work.request.does === 'changes') {
    closeDatabase(join(root, settleDatabasePlace(root, dbpath)))
    dropLeftovers(root, made)
    const epoch = work.epoch ?? downloaded(outcome)?.epoch
    if (epoch) clampTimes(root, written, epoch)
    if (work.lock !== undefined && !run.lock) writeLock(work, outcome)
  }
  return done
}

/** What dnf makes in a root before it knows whether it needs it, as far as it is not there; the deepest first. */
function newFolders(root: string): readonly string[] {
  const folders = ['/etc/dnf/modules.d', '/etc/dnf', '/etc']
  for (const path of folders)
    if (resolveInRoot(root, path) !== join(root, path))
      throw new BuilderError('UNSAFE', {
        operation: 'dnf',
        object: path,
        reason: 'it is a link, and dnf would follow it out of the container',
        hint: 'make it a folder',
      })
  return folders.filter((path) => !lstatSync(join(root, path), { throwIfNoEntry: false }))
}

/** Writes all that dnf and rpm read beside the root. */
function prepare({ store, work, state, lock }: Run, root: string, dbpath: string): DnfPlaces {
  const cache = join(state, 'cache')
  takeMetadata(dnfCache(store), cache)
  // In lists of folders dnf takes a blank for the next one: they are named from the working folder on.
  const own = { reposdir: ['repos'], varsdir: ['vars'] }
  const host = { reposdir: [...own.reposdir, ...hostRepositories], varsdir: [...own.varsdir, ...hostVariables] }
  const places = { root, state, cache, dbpath, ...(work.fromHost ? host : own) }
  const packages = dnfCache(store).packages
  const settings = { lock: lock?.packages ?? null, packages, epoch: work.epoch ?? null, devices: !isInUserNamespace() }
  const macros = rpmMacros(work, dbpath)
  const files: Record<string, string> = {
    'dnf.conf': dnfConfig(work, places),
    'home/.rpmmacros': macros,
    'home/.config/rpm/macros': macros,
    'plugins/builder.py': dnfPlugin,
    'plugins/settings.json': JSON.stringify({ ...settings, destination: work.destination }),
    ...Object.fromEntries(work.repositories.map((one) => [`repos/${one.id}.repo`, repositoryText(one)])),
    ...Object.fromEntries(work.repofiles.map((text, i) => [`repos/file-${i}.repo`, text])),
  }
  for (const folder of ['log', 'history', 'repos', 'vars']) mkdirSync(join(state, folder), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(state, name)), { recursive: true })
    writeFileSync(join(state, name), text)
  }
  return places
}

const hostRepositories = ['/etc/yum.repos.d', '/etc/distro.repos.d']
const hostVariables = ['/etc/dnf/vars', '/etc/yum/vars']

async function execute({ work, program, state }: Run, places: DnfPlaces): Promise<DnfOutcome> {
  const { request, epoch, offline, signal, onEvent } = work
  const env = {
    HOME: join(state, 'home'),
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    ...work.proxies,
    ...(epoch === undefined ? {} : { SOURCE_DATE_EPOCH: `${epoch}` }),
  }
  const events: DnfEvent[] = []
  const onLine = (line: string) => {
    const event = parseDnfEvent(line)
    if (!event) return
    if (event.event !== 'bytes' && event.event !== 'step') events.push(event)
    onEvent(event)
  }
  const release = makeMountpoints(places.root)
  let outcome: DnfOutcome = { argv: [], exitCode: 0, stdout: '', stderr: '', events }
  try {
    for (const words of dnfArguments(program.kind, request, work, places)) {
      const argv = [program.path, ...words]
      const run = { argv, env, root: places.root, cwd: state, network: !offline, onLine, ...(signal ? { signal } : {}) }
      outcome = { argv, ...(await runOnRoot(run)), events }
      if (outcome.exitCode !== 0) break
    }
  } finally {
    release()
  }
  return outcome
}

/** What was fetched is of use also when the rest failed. */
async function keep(store: Store, { cache }: DnfPlaces, outcome: DnfOutcome): Promise<void> {
  const kept = dnfCache(store)
  for (const { path, checksum } of downloaded(outcome)?.packages ?? []) {
    // dnf names it from the root on, by the way out of it.
    const file = resolve(path)
    if (file.startsWith(`${cache}/`) && existsSync(file)) keepPackage(kept, checksum, file)
  }
  await keepMetadata(store, kept, cache)
}

function doneOf({ events, stdout }: DnfOutcome): DnfDone {
  const resolved = events.flatMap((event) => (event.event === 'resolved' ? [event] : []))
  return {
    installed: resolved.flatMap(({ packages }) => packages.map(nevraOf)).sort(),
    removed: resolved.flatMap(({ removed }) => removed).sort(),
    stdout,
  }
}

type Downloaded = Extract<DnfEvent, { event: 'downloaded' }>

function downloaded({ events }: DnfOutcome): Downloaded | undefined {
  return events.findLast((event): event is Downloaded => event.event === 'downloaded')
}

function lockFor({ kind }: DnfProgram, work: DnfWork): PackageLock | undefined {
  if (work.lock === undefined) return undefined
  const refuse = (code: 'USAGE' | 'UNSUPPORTED', reason: string, hint: string) =>
    new BuilderError(code, { operation: 'dnf --lock', object: work.lock ?? '', reason, hint })
  if (!work.request.brings)
    throw refuse(
      'USAGE',
      `${work.request.command.join(' ')} brings no packages`,
      'a lock is for install, upgrade and the like',
    )
  if (kind !== 'dnf4') throw refuse('UNSUPPORTED', `${kind} does not tell what it installs`, 'install dnf 4 beside it')
  return readPackageLock(work.lock, 'dnf', lockRequest(work))
}

/** What decides the set of packages. */
function lockRequest({ request, releasever, forcearch, weakDeps, exclude, enableModules }: DnfWork): LockRequest {
  const { command, words } = request
  return { command: command.join(' '), packages: words, releasever, forcearch, weakDeps, exclude, enableModules }
}

function writeLock(work: DnfWork, outcome: DnfOutcome): void {
  const packages = (downloaded(outcome)?.packages ?? []).map(
    ({ name, epoch, version, release, arch, repository, location, checksum }) => ({
      ...{ name, epoch, version, release, arch, repository, location, checksum },
    }),
  )
  writePackageLock(work.lock ?? '', { manager: 'dnf', request: lockRequest(work), packages })
}

/** Reads a `.repo` file. Throws `NOT_FOUND`. */
export function readRepofile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const reason = 'the repository file cannot be read'
    throw new BuilderError('NOT_FOUND', {
      operation: 'dnf --repofile',
      object: path,
      reason,
      hint: 'check its path',
      cause,
    })
  }
}
