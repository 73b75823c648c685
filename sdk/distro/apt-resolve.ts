import { BuilderError } from '../errors.js'
import { inOrder } from '../image/table.js'
import { withLock } from '../store/locks.js'
import type { Store } from '../store/store.js'
import { aptFailure } from './apt-failure.js'
import type { AptPlace } from './apt-place.js'

/** A package's file, and where it is. */
export interface DebFile {
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** Where it can be had: http:, https:, file:, … */
  readonly location: string
  /** Bytes, when they are known. */
  readonly size?: number
  /** 64 hexadecimal digits. */
  readonly sha256: string
}

/** What apt would do. */
export interface AptPlan {
  /** To be installed, by name. */
  readonly files: readonly DebFile[]
  /** Names of packages that go. */
  readonly removed: readonly string[]
}

/** What is asked of apt. */
export interface AptQuestion {
  readonly action: 'install' | 'upgrade' | 'remove'
  readonly packages: readonly string[]
  /** False: only what is named, without what it needs. */
  readonly depends: boolean
}

/** How lists of packages are come by. */
export interface ListOptions {
  readonly operation: string
  readonly offline: boolean
  /** What the sources have never changes: lists that are there are enough. */
  readonly fixed: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Fetches the lists of packages that the sources have now, whose signatures apt checks. Throws `NETWORK`, `DENIED` for what is not
 * signed as it should be, `NOT_FOUND` with `offline` where no list is there.
 */
export async function refreshLists(store: Store, place: AptPlace, options: ListOptions): Promise<void> {
  const { operation, offline, fixed, signal } = options
  if ((offline || fixed) && place.hasLists()) return
  if (offline) {
    const reason = 'the lists of packages of these sources were never fetched'
    throw new BuilderError('NOT_FOUND', { operation, object: '', reason, hint: 'do it once without --offline' })
  }
  const update = () => place.run(['apt-get', '-q', 'update'], { operation, signal })
  const ran = await withLock(store, lockOf(place), update, { purpose: operation, ...(signal ? { signal } : {}) })
  // Some complaints are warnings for apt, which then goes on with the lists that it had.
  if (ran.code !== 0 || /^E: /m.test(ran.said)) throw await aptFailure(ran, { operation, packages: [] })
}

/**
 * Has apt decide which packages are needed. Throws `NOT_FOUND` for a package that no source has, `INVALID` where what it needs
 * cannot be had.
 */
export async function resolvePackages(
  store: Store,
  place: AptPlace,
  question: AptQuestion,
  { operation, signal }: Pick<ListOptions, 'operation' | 'signal'>,
): Promise<AptPlan> {
  const { packages } = question
  const ask = () => place.run(wordsFor(question), { operation, signal })
  const ran = await withLock(store, lockOf(place), ask, {
    shared: true,
    purpose: operation,
    ...(signal ? { signal } : {}),
  })
  const names = async () => (await place.run(['apt-cache', 'pkgnames'], { operation, signal })).stdout.split('\n')
  if (ran.code !== 0) throw await aptFailure(ran, { operation, packages, names })
  const files = ran.stdout.split('\n').flatMap((line) => fileOf(line, operation))
  return {
    files: files.sort((a, b) => inOrder(a.name, b.name) || inOrder(a.architecture, b.architecture)),
    removed: removedIn(ran.stdout),
  }
}

function lockOf(place: AptPlace): string {
  return `apt-lists-${place.key}`
}

function wordsFor({ action, packages, depends }: AptQuestion): readonly string[] {
  const common = ['apt-get', '-q', '-y', '--print-uris', '--allow-downgrades', '--allow-remove-essential']
  if (!depends) return [...common, 'download', ...packages]
  if (action === 'install') return [...common, 'install', ...packages]
  if (action === 'remove') return [...common, 'remove', ...packages]
  return packages.length === 0
    ? [...common, '--with-new-pkgs', 'upgrade']
    : [...common, '--only-upgrade', 'install', ...packages]
}

/** `'URI' name_version_arch.deb SIZE SHA256:…`. Source: apt-get(8), --print-uris. */
function fileOf(line: string, operation: string): readonly DebFile[] {
  const found = /^'([^']+)' (\S+)_(\S+)_(\S+)\.deb (\d+) (\S*)/.exec(line)
  if (!found) return []
  const [, location = '', name = '', version = '', architecture = '', size = '0', hash = ''] = found
  const sha256 = /^SHA256:([0-9a-f]{64})$/.exec(hash)?.[1]
  if (sha256 === undefined)
    throw new BuilderError('INVALID', {
      operation,
      object: name,
      reason: 'the repository gives no SHA256 of it',
      hint: 'use a repository whose lists have SHA256 sums',
    })
  return [{ name, version: unquoted(version), architecture, location, size: Number(size), sha256 }]
}

/** Names of files have `:` and `_` of versions in a form that is none in a file's name. */
function unquoted(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

function removedIn(text: string): readonly string[] {
  const block = /^The following packages will be REMOVED:\n((?: .*\n)+)/m.exec(text)?.[1] ?? ''
  return block
    .split(/\s+/)
    .map((word) => word.replace(/\*$/, ''))
    .filter((word) => word !== '')
    .sort()
}
