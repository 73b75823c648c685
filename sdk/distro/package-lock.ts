import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { asBuilderError, BuilderError } from '../errors.js'
import { canonicalJson, parseJson } from '../image/config.js'

/** One package as a lock file names it. */
export interface LockedPackage {
  readonly name: string
  /** RPM's; absent for 0. */
  readonly epoch?: number
  /** For Debian the whole version, as dpkg writes it. */
  readonly version: string
  readonly release?: string
  readonly arch: string
  /** Name of the repository it came from. */
  readonly repository: string
  /** Its file, from the repository's address on. */
  readonly location: string
  /** `sha256:` and 64 hexadecimal digits, of the package's file. */
  readonly checksum: string
}

/** What a package manager was asked for: words, lists in an order that means nothing, switches. Undefined is as absent. */
export type LockRequest = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** The exact packages of a request. */
export interface PackageLock {
  readonly version: 1
  readonly manager: 'dnf' | 'apt'
  readonly request: LockRequest
  readonly packages: readonly LockedPackage[]
}

/**
 * Reads a lock file; undefined when there is none. Throws `INVALID` for one that is damaged, of another version, of another
 * manager or of another request; `SYSTEM`.
 */
export function readPackageLock(
  path: string,
  manager: PackageLock['manager'],
  request: LockRequest,
): PackageLock | undefined {
  const text = contentOf(path)
  if (text === undefined) return undefined
  const lock = parsePackageLock(text, path)
  if (lock.manager !== manager) throw otherManager(path, manager, lock.manager)
  const changed = differences(normalised(lock.request), normalised(request))
  if (changed.length > 0) throw otherRequest(path, changed)
  return lock
}

/** Writes a lock file as one step: the same bytes for the same packages and the same request. Throws `SYSTEM`. */
export function writePackageLock(path: string, lock: Omit<PackageLock, 'version'>): void {
  const unfinished = `${path}.${process.pid}.new`
  try {
    writeFileSync(unfinished, lockText(lock))
    renameSync(unfinished, path)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw asBuilderError(error, 'write lock file', path)
  }
}

/** A lock file's text: packages sorted by name, arch and version, keys of the request sorted. */
export function lockText({ manager, request, packages }: Omit<PackageLock, 'version'>): string {
  const sorted = packages.map(inOrder).sort((a, b) => byWords(sortKey(a), sortKey(b)))
  const lock = { version: 1, manager, request: normalised(request), packages: sorted }
  return `${JSON.stringify(lock, undefined, 2)}\n`
}

/** Throws `INVALID`, naming the file. */
export function parsePackageLock(text: string, path: string): PackageLock {
  const it = jsonOf(text, path) as Partial<PackageLock> | null | undefined
  const fault = it === undefined ? 'it is not valid JSON' : faultOf(it)
  if (fault === undefined) return it as PackageLock
  throw new BuilderError('INVALID', { operation: 'read lock file', object: path, reason: fault, hint: writeAnew })
}

function jsonOf(text: string, path: string): unknown {
  try {
    return parseJson(text, path)
  } catch {
    return undefined
  }
}

const writeAnew = 'remove the file, and the next run writes it anew'

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw asBuilderError(error, 'read lock file', path)
  }
}

function faultOf(it: Partial<PackageLock> | null): string | undefined {
  if (typeof it !== 'object' || it === null) return 'it is no lock file'
  if (it.version !== 1) return `its version ${JSON.stringify(it.version)} is not 1`
  if (it.manager !== 'dnf' && it.manager !== 'apt') return 'manager is neither dnf nor apt'
  if (typeof it.request !== 'object' || it.request === null || Array.isArray(it.request)) return 'request is missing'
  if (!Array.isArray(it.packages)) return 'packages is not a list'
  const at = it.packages.findIndex((one: unknown) => !isPackage(one))
  return at < 0 ? undefined : `packages[${at}] has not name, version, arch, repository, location and sha256 checksum`
}

function isPackage(value: unknown): boolean {
  const it = value as Partial<LockedPackage> | null
  const words = [it?.name, it?.version, it?.arch, it?.repository, it?.location]
  return (
    words.every((word) => typeof word === 'string' && word !== '') &&
    /^sha256:[0-9a-f]{64}$/.test(String(it?.checksum)) &&
    (it?.epoch === undefined || Number.isSafeInteger(it.epoch)) &&
    (it?.release === undefined || typeof it.release === 'string')
  )
}

function inOrder(one: LockedPackage): LockedPackage {
  const { name, epoch, version, release, arch, repository, location, checksum } = one
  return {
    name,
    ...(epoch ? { epoch } : {}),
    version,
    ...(release === undefined ? {} : { release }),
    arch,
    repository,
    location,
    checksum,
  }
}

function sortKey({ name, arch, epoch = 0, version, release = '', location }: LockedPackage): string {
  return [name, arch, epoch, version, release, location].join('\0')
}

/** Lists without order and without what is twice; nothing that is undefined or empty. */
function normalised(request: LockRequest): LockRequest {
  const entries = Object.entries(request).flatMap(([key, value]): [string, LockRequest[string]][] => {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return []
    return [[key, Array.isArray(value) ? [...new Set(value as readonly string[])].sort(byWords) : value]]
  })
  return Object.fromEntries(entries.sort(([a], [b]) => byWords(a, b)))
}

function differences(before: LockRequest, now: LockRequest): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort(byWords)
  return keys
    .filter((key) => canonicalJson(before[key] ?? null) !== canonicalJson(now[key] ?? null))
    .map((key) => `${key} was ${said(before[key])} and is ${said(now[key])}`)
}

function said(value: LockRequest[string]): string {
  if (value === undefined) return 'absent'
  return Array.isArray(value) ? value.join(' ') : String(value)
}

function byWords(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function otherManager(path: string, wanted: string, found: string): BuilderError {
  const reason = `it is a lock of ${found}, not of ${wanted}`
  return new BuilderError('INVALID', { operation: 'read lock file', object: path, reason, hint: 'name another file' })
}

function otherRequest(path: string, changed: readonly string[]): BuilderError {
  const reason = `it is the lock of another request: ${changed.join('; ')}`
  return new BuilderError('INVALID', { operation: 'read lock file', object: path, reason, hint: writeAnew })
}
