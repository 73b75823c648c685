import { BuilderError, type ErrorCode } from '../errors.js'
import { nearestWords } from '../image/near-word.js'
import type { HostRan } from './host-run.js'

/** What was asked when apt failed. */
export interface AptCall {
  readonly operation: string
  /** The packages that were asked for. */
  readonly packages: readonly string[]
  /** Names of all packages that the sources have, for suggestions; asked for only when one is unknown. */
  readonly names?: () => Promise<readonly string[]>
}

/** What apt said when it failed, in the reader's words. */
export async function aptFailure(ran: HostRan, { operation, packages, names }: AptCall): Promise<BuilderError> {
  const errors = linesOf(ran.said, 'E')
  const said = [...errors, ...linesOf(ran.said, 'W')].join('\n')
  const unknown = /Unable to locate package (\S+)/.exec(said)?.[1]
  if (unknown !== undefined) return notFound(operation, unknown, (await names?.()) ?? [])
  const known = failures.find(({ pattern }) => pattern.test(said) || pattern.test(ran.said))
  const object = known?.object?.exec(`${said}\n${ran.said}`)?.[1] ?? packages.join(' ')
  const detail = known?.detail?.(ran.said) ?? errors[0] ?? `apt ended with exit code ${ran.code}`
  const reason = known ? known.reason.replace('%', detail) : detail
  const hint = known?.hint ?? '--log-level debug shows all that apt said'
  return new BuilderError(known?.code ?? 'SYSTEM', { operation, object, reason, hint, cause: new Error(ran.said) })
}

function linesOf(text: string, letter: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^${letter}: (.*)$`, 'gm'))].map(([, line]) => line as string)
}

function notFound(operation: string, object: string, names: readonly string[]): BuilderError {
  const near = nearestWords(object, names)
  const reason = 'no source has a package of that name'
  const hint =
    near.length > 0
      ? `did you mean ${near.join(', ')}? Else check --suite and --component`
      : 'check its name, --suite and --component'
  return new BuilderError('NOT_FOUND', { operation, object, reason, hint })
}

interface Failure {
  readonly pattern: RegExp
  readonly code: ErrorCode
  /** `%` stands for the detail: the first error of apt's, where nothing else is said. */
  readonly reason: string
  readonly hint: string
  readonly object?: RegExp
  readonly detail?: (said: string) => string | undefined
}

const repository = /[Tt]he repository '([^']*)'/

/** The first that fits counts: what comes of another failure stands below it. */
const failures: readonly Failure[] = [
  {
    pattern: /No space left on device|not have enough (free )?space/i,
    code: 'SYSTEM',
    reason: 'the disk is full',
    hint: 'free some space (builder prune, builder rmi) and try again',
  },
  {
    pattern: /Version '[^']*' for '[^']*' was not found/,
    code: 'NOT_FOUND',
    object: /for '([^']*)' was not found/,
    reason: 'no source has that version: %',
    hint: 'leave the version out, or use --snapshot with a day that had it',
    detail: (said) => /Version '([^']*)' for/.exec(said)?.[1],
  },
  {
    pattern: /has no installation candidate|Couldn't find any package by|Unable to find a source package/,
    code: 'NOT_FOUND',
    object: /Package '([^']*)' has no installation candidate/,
    reason: 'the sources name it, but have no package of it',
    hint: 'check --exclude, --suite, --component and --arch',
  },
  {
    pattern: /unmet dependencies|held broken packages|pkgProblemResolver/i,
    code: 'INVALID',
    reason: 'what it needs cannot be installed with it: %',
    hint: 'check --exclude, and that all suites of the release are there',
    detail: unmet,
  },
  {
    pattern: /EXPKEYSIG|KEYEXPIRED|key .*(has )?expired/i,
    code: 'DENIED',
    object: repository,
    reason: 'the key that signs its packages has expired',
    hint: 'get a newer keyring, or use --snapshot',
  },
  {
    pattern: /NO_PUBKEY|public key is not available|couldn't be verified|BADSIG|Bad signature|not trusted|Missing key/i,
    code: 'DENIED',
    object: repository,
    reason: 'its packages are not signed by a key that is trusted',
    hint: 'name the right keyring with --keyring',
  },
  {
    pattern: /is not signed|does not have a Release file|Clearsigned file isn't valid|NODATA/,
    code: 'DENIED',
    object: repository,
    reason: 'it is not a signed repository: %',
    hint: "check its address and suite; one of your own may be named with --source 'deb [trusted=yes] …'",
  },
  {
    pattern: /is expired \(invalid since|Valid-Until/,
    code: 'INVALID',
    object: /Release file for (\S+) is expired/,
    reason: 'its list of packages has expired: %',
    hint: 'use a mirror that is up to date, or --snapshot for a day of the past',
  },
  {
    pattern: /is not valid yet/,
    code: 'INVALID',
    object: /Release file for (\S+) is not valid yet/,
    reason: 'its list of packages is from the future: %',
    hint: 'check the clock of this machine',
  },
  {
    pattern: /Hash Sum mismatch|File has unexpected size/i,
    code: 'DIGEST',
    object: /Failed to fetch (\S+)/,
    reason: 'it is not what the repository signed',
    hint: 'try again in a few minutes: a mirror may be in the middle of an update',
  },
  {
    pattern:
      /Could not resolve|Could not connect|Connection (refused|failed|timed out)|Unable to connect|Temporary failure/i,
    code: 'NETWORK',
    object: /Failed to fetch (\S+)/,
    reason: 'the mirror cannot be reached: %',
    hint: 'check the network, the proxy and --mirror; --offline uses what is there',
    detail: (said) => /(Could not (?:resolve|connect)[^\n]*|Connection [^\n]*|Unable to connect[^\n]*)/.exec(said)?.[1],
  },
  {
    pattern: /Certificate verification failed|SSL|TLS|handshake/i,
    code: 'NETWORK',
    object: /Failed to fetch (\S+)/,
    reason: 'the mirror cannot be trusted: %',
    hint: 'check its address, and the certificates of this machine (package ca-certificates)',
  },
  {
    pattern: /Failed to fetch|404\s+Not Found|File not found/,
    code: 'NETWORK',
    object: /Failed to fetch (\S+)/,
    reason: 'the mirror does not have it: %',
    hint: 'check --mirror and --suite',
  },
  {
    pattern: /Malformed entry|type '[^']*' is not known|could not be read/,
    code: 'INVALID',
    reason: 'apt cannot read a source: %',
    hint: 'write it as sources.list(5) says',
  },
]

/** `foo : Depends: bar (>= 2) but it is not going to be installed`, of all that apt lists. */
function unmet(said: string): string | undefined {
  const block = /unmet dependencies:\n((?: .*\n)+)/.exec(said)?.[1]
  return block
    ?.split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '')
    .join('; ')
}
