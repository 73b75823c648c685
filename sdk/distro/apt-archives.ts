import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import type { Store } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import { aptFailure } from './apt-failure.js'
import type { AptPlace } from './apt-place.js'
import type { DebFile } from './apt-resolve.js'

/** How far all packages of a request are. */
export interface FetchProgress {
  /** How many have to be fetched; with `exists` how many were fetched before, and that is all. */
  readonly packages: number
  readonly bytes: number
  /** Absent where the sizes are not known before: those of a lock file. */
  readonly total?: number
  readonly state: 'copying' | 'done' | 'exists'
}

/** How packages are fetched. */
export interface FetchOptions {
  readonly operation: string
  readonly offline: boolean
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (progress: FetchProgress) => void
}

/** A package's file on this machine, which has the digest that was promised. */
export interface FetchedDeb extends DebFile {
  readonly path: string
}

/**
 * Fetches packages into the store, where every container and process finds them by their digest; what is there already is checked
 * and not fetched again. Throws `NETWORK`, `NOT_FOUND` for what is gone or (with `offline`) not there, `DIGEST`, `SYSTEM`.
 */
export async function fetchDebs(
  store: Store,
  place: AptPlace,
  files: readonly DebFile[],
  options: FetchOptions,
): Promise<readonly FetchedDeb[]> {
  mkdirSync(archivesOf(store), { recursive: true, mode: 0o700 })
  const missing: DebFile[] = []
  for (const file of files) if (!(await hasDigest(pathOf(store, file), file.sha256))) missing.push(file)
  const [first] = missing
  if (first && options.offline) throw notHere(first, options.operation)
  const tell = teller(missing, options)
  for (let at = 0; at < missing.length; at += together)
    await fetchSome(store, place, missing.slice(at, at + together), tell, options)
  if (first) tell('done')
  else if (files.length > 0) options.onProgress?.({ packages: files.length, bytes: 0, state: 'exists' })
  return files.map((file) => ({ ...file, path: pathOf(store, file) }))
}

/** Says how far all is; `underway` is the bytes of what is not in the store yet. */
function teller(missing: readonly DebFile[], { onProgress }: FetchOptions): Teller {
  const packages = missing.length
  const isKnown = missing.every(({ size }) => size !== undefined)
  const total = isKnown ? { total: missing.reduce((sum, { size = 0 }) => sum + size, 0) } : {}
  const there = new Map<string, number>()
  const tell = (state: FetchProgress['state'], underway = 0) => {
    const bytes = [...there.values()].reduce((sum, size) => sum + size, underway)
    onProgress?.({ packages, bytes, ...total, state })
  }
  return Object.assign(tell, { has: (file: DebFile, size: number) => void there.set(file.sha256, size) })
}

type Teller = ((state: FetchProgress['state'], underway?: number) => void) & {
  has(file: DebFile, size: number): void
}

/** So many are named in one call of apt's, whose words have a limit. */
const together = 200

async function fetchSome(
  store: Store,
  place: AptPlace,
  files: readonly DebFile[],
  tell: Teller,
  options: FetchOptions,
): Promise<void> {
  const folder = temporaryFolder(store)
  const targetOf = (file: DebFile) => join(folder, file.sha256)
  const watching = watch(files, targetOf, tell)
  try {
    const remote: string[] = []
    for (const file of files) {
      const local = localPath(file.location)
      if (local === undefined) remote.push(file.location, targetOf(file), `SHA256:${file.sha256}`)
      else await copyFile(local, targetOf(file)).catch(gone(file, options.operation))
    }
    if (remote.length > 0) await download(place, remote, files, options)
    for (const file of files) {
      if (!(await hasDigest(targetOf(file), file.sha256))) throw changed(file, options.operation)
      renameSync(targetOf(file), pathOf(store, file))
      tell.has(file, sizeOf(pathOf(store, file)))
    }
  } finally {
    clearInterval(watching)
    rmSync(folder, { recursive: true, force: true })
  }
}

async function download(
  place: AptPlace,
  words: readonly string[],
  files: readonly DebFile[],
  { operation, signal }: FetchOptions,
): Promise<void> {
  const ran = await place.run(['/usr/lib/apt/apt-helper', '-q', 'download-file', ...words], { operation, signal })
  if (ran.code === 0) return
  const complaints = ran.said.split('\n').filter((line) => /^[EW]: .*(404\s+Not Found|File not found)/.test(line))
  const lost = files.find(({ location }) => complaints.some((line) => line.includes(` ${location} `)))
  if (lost) throw absent(lost, operation)
  throw await aptFailure(ran, { operation, packages: [] })
}

/** apt says nothing that a program could read of how far it is: the files grow. */
function watch(files: readonly DebFile[], targetOf: (file: DebFile) => string, tell: Teller): NodeJS.Timeout {
  tell('copying')
  const look = () =>
    tell(
      'copying',
      files.reduce((sum, file) => sum + sizeOf(targetOf(file)), 0),
    )
  return setInterval(look, 100).unref()
}

function titleOf({ name, version }: DebFile): string {
  return `${name} ${version}`
}

function archivesOf(store: Store): string {
  return join(store.root, 'cache/apt/archives')
}

function pathOf(store: Store, { sha256 }: DebFile): string {
  return join(archivesOf(store), `${sha256}.deb`)
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

async function hasDigest(path: string, sha256: string): Promise<boolean> {
  if (sizeOf(path) === 0) return false
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer)
  return hash.digest('hex') === sha256
}

/** Of what apt reads from this machine without a copy. */
function localPath(location: string): string | undefined {
  const path = /^(?:file|copy):(?:\/\/)?(\/.*)$/.exec(location)?.[1]
  if (path === undefined) return undefined
  return path.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

function gone(file: DebFile, operation: string) {
  return (error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? absent(file, operation) : asBuilderError(error, operation, titleOf(file))
  }
}

function absent(file: DebFile, operation: string): BuilderError {
  return new BuilderError('NOT_FOUND', {
    operation,
    object: titleOf(file),
    reason: `it is gone from ${file.location}`,
    hint: 'a day that had it may be in the snapshot service: --snapshot YYYY-MM-DD',
  })
}

function notHere(file: DebFile, operation: string): BuilderError {
  const reason = 'it was never fetched into this store'
  return new BuilderError('NOT_FOUND', {
    operation,
    object: titleOf(file),
    reason,
    hint: 'do it once without --offline',
  })
}

function changed(file: DebFile, operation: string): BuilderError {
  return new BuilderError('DIGEST', {
    operation,
    object: titleOf(file),
    reason: `what is at ${file.location} has not the digest sha256:${file.sha256}`,
    hint: 'its repository has changed since its list, or since the lock file, was written: try again, or make a new lock file',
  })
}
