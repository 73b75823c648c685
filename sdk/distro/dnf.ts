import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { changeRoot } from '../store/change-root.js'
import type { ContainerRecord } from '../store/containers.js'
import type { Store } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import { dnfCache, keepMetadata, keepPackage } from './dnf-cache.js'
import type { DnfPlaces } from './dnf-config.js'
import { type DnfEvent, nevraOf } from './dnf-event.js'
import { executeDnf } from './dnf-execute.js'
import { dnfFailure } from './dnf-failure.js'
import { readDnfLock, writeDnfLock } from './dnf-lock.js'
import type { DnfOutcome } from './dnf-outcome.js'
import { findDnf } from './dnf-program.js'
import { newFolders, prepareDnf } from './dnf-state.js'
import type { DnfRun, DnfWork } from './dnf-work.js'
import { closeDatabase, rpmDatabasePath, settleDatabasePlace } from './rpm-place.js'
import { clampTimes, dropLeftovers } from './tidy-root.js'

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
  const lock = readDnfLock(program, work)
  if (work.request.does === 'downloads') makeDestination(work.destination)
  const state = temporaryFolder(store)
  const run: DnfRun = { store, record, work, program, state, lock }
  let outcome: DnfOutcome | undefined
  let written: string | undefined
  try {
    const change = async (root: string, upper?: string) => {
      outcome = await onRoot(run, root, upper)
      // What only asks changes nothing, whatever dnf made on its way.
      if (work.request.does !== 'changes') throw new Error('discarded')
      if (work.lock === undefined || lock) return
      writeDnfLock(work.lock, work, downloaded(outcome)?.packages ?? [])
      written = work.lock
    }
    await changeRoot(store, record.id, 'dnf', change, work.signal).catch((error: unknown) => {
      if (outcome && work.request.does !== 'changes') return
      if (written !== undefined) rmSync(written, { force: true })
      throw error
    })
    if (!outcome) throw new Error('dnf did not run')
    return doneOf(outcome, work)
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
}

function makeDestination(folder: string): void {
  try {
    makeFolders(folder)
    if (statSync(folder).isDirectory()) return
  } catch (error) {
    throw asBuilderError(error, 'dnf --destdir', folder)
  }
  const reason = 'it is no folder'
  throw new BuilderError('INVALID', { operation: 'dnf --destdir', object: folder, reason, hint: 'name a folder' })
}

// Node's own recursive mkdir never ends below /proc.
function makeFolders(folder: string): void {
  if (existsSync(folder)) return
  makeFolders(dirname(folder))
  mkdirSync(folder)
}

async function onRoot(run: DnfRun, root: string, written: string | undefined): Promise<DnfOutcome> {
  const { work } = run
  const made = newFolders(root)
  const dbpath = rpmDatabasePath(root, work.releasever)
  const places = prepareDnf(run, root, dbpath)
  const outcome = await executeDnf(run, places)
  await keep(run, places, outcome)
  const failed = dnfFailure(run.record.name, outcome)
  if (failed) throw failed
  if (work.request.does !== 'changes') return outcome
  closeDatabase(join(root, settleDatabasePlace(root, dbpath)))
  dropLeftovers(root, made)
  const epoch = outcome.epoch ?? (downloaded(outcome)?.epoch || undefined)
  if (epoch !== undefined) clampTimes(root, written, epoch)
  return outcome
}

/** What was fetched is of use also when the rest failed. */
async function keep({ store, program }: DnfRun, { cache }: DnfPlaces, outcome: DnfOutcome): Promise<void> {
  const kept = dnfCache(store)
  for (const { path, checksum } of downloaded(outcome)?.packages ?? []) {
    // dnf names it from the root on, by the way out of it.
    const file = resolve(path)
    if (file.startsWith(`${cache}/`) && existsSync(file)) keepPackage(kept, checksum, file)
  }
  await keepMetadata(store, kept, cache, program.kind !== 'dnf4')
}

function doneOf({ events, stdout }: DnfOutcome, { request }: DnfWork): DnfDone {
  if (request.does !== 'changes') return { installed: [], removed: [], stdout }
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
