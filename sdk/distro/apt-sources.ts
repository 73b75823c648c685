import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { type Distribution, distributionOf, distributions, knownSuites, partsOf } from './debian-archives.js'

/** Where packages are to come from, as a user says it. */
export interface AptSourceOptions {
  readonly suite?: string
  readonly component?: readonly string[]
  readonly mirror?: string
  /** Lines of sources.list(5). */
  readonly source?: readonly string[]
  readonly keyring?: string
  readonly snapshot?: string
  readonly fromHost?: boolean
}

/** Where packages come from. */
export interface AptSources {
  /** Lines of sources.list(5); none with the host's own. */
  readonly lines: readonly string[]
  /** Keyrings whose keys are trusted. */
  readonly keyrings: readonly string[]
  readonly fromHost: boolean
  /** What they have never changes. */
  readonly fixed: boolean
}

/** What of the container helps where nothing is said: its own distribution and release. */
export interface KnownRelease {
  readonly codename?: string
}

/**
 * Decides where packages come from. Throws `USAGE` for what contradicts itself or says nothing, `NOT_FOUND` for a keyring that is
 * not there, `INVALID` for one that apt cannot read.
 */
export function aptSources(
  options: AptSourceOptions,
  architecture: string,
  container: KnownRelease,
  operation: string,
): AptSources {
  refuseContradictions(options, operation)
  if (options.fromHost) return { lines: [], keyrings: ownKeyring(options, operation), fromHost: true, fixed: false }
  const lines = (options.source ?? []).map((line) => checkedLine(line, operation))
  const suite = options.suite ?? (lines.length === 0 ? container.codename : undefined)
  if (suite === undefined && lines.length === 0) throw nothingSaid(operation)
  const distribution = suite === undefined ? undefined : distributionOf(suite)
  if (suite !== undefined) lines.push(...suiteLines(suite, distribution, options, architecture, operation))
  const keyrings = keyringsFor(lines, distribution, options, operation)
  return {
    lines,
    keyrings,
    fromHost: false,
    fixed: options.snapshot !== undefined && (options.source ?? []).length === 0,
  }
}

/** A text that is another one when the sources are: what the lists of packages are kept under. */
export function sourcesText({ lines, keyrings, fromHost }: AptSources): string {
  const files = fromHost ? ['/etc/apt/sources.list', ...filesIn('/etc/apt/sources.list.d')] : []
  return JSON.stringify([lines, [...files, ...keyrings].map((file) => readable(file))])
}

function refuseContradictions(options: AptSourceOptions, operation: string): void {
  const { fromHost, suite, mirror, snapshot, source = [], component = [] } = options
  const given = Object.entries({ suite, mirror, snapshot, source: source[0], component: component[0] })
  const other = given.find(([, value]) => value !== undefined)?.[0]
  if (fromHost && other !== undefined)
    throw usage(
      operation,
      `--from-host --${other}`,
      'the two say different places',
      `leave out --from-host or --${other}`,
    )
  if (snapshot !== undefined && mirror !== undefined)
    throw usage(operation, '--snapshot --mirror', 'a mirror has no snapshots', 'leave one of them out')
  if (source.length > 0 && suite === undefined && (mirror ?? component[0] ?? snapshot) !== undefined)
    throw usage(
      operation,
      '--source',
      'a source says its own mirror and components',
      'write them into the source, or say --suite',
    )
  if (mirror !== undefined && !/^(https?|file|copy|ftp|mirror\+\w+):\S+$/.test(mirror))
    throw usage(
      operation,
      `--mirror ${mirror}`,
      'it is not the address of a mirror',
      'write for example http://deb.debian.org/debian',
    )
}

function suiteLines(
  suite: string,
  distribution: Distribution | undefined,
  { mirror, component = [], snapshot }: AptSourceOptions,
  architecture: string,
  operation: string,
): readonly string[] {
  if (!/^[a-z0-9][a-z0-9.+/-]*$/i.test(suite))
    throw usage(operation, `--suite ${suite}`, 'it is not the name of a suite')
  if (!distribution && mirror === undefined) throw unknownSuite(suite, operation)
  const components = component.flatMap((one) => one.split(/[\s,]+/)).filter((one) => one !== '')
  const odd = components.find((one) => !/^[a-z0-9][a-z0-9./-]*$/i.test(one))
  if (odd !== undefined) throw usage(operation, `--component ${odd}`, 'it is not the name of a component')
  const wanted = components.length > 0 ? components : (distribution?.components ?? ['main'])
  if (mirror !== undefined) return [`deb ${mirror} ${suite} ${wanted.join(' ')}`]
  const date = snapshot === undefined ? undefined : snapshotDate(snapshot, operation)
  const flags = date === undefined ? '' : '[check-valid-until=no] '
  return partsOf(distribution as Distribution, suite, architecture, date).map(
    (part) => `deb ${flags}${part.uri} ${part.suite} ${wanted.join(' ')}`,
  )
}

/** Both services take the time in the basic format of ISO 8601. */
function snapshotDate(text: string, operation: string): string {
  const parts = /^(\d{4})-?(\d{2})-?(\d{2})(?:T?(\d{2}):?(\d{2}):?(\d{2})Z?)?$/.exec(text)
  const [, year, month, day, hour = '00', minute = '00', second = '00'] = parts ?? []
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
  if (parts && !Number.isNaN(Date.parse(iso))) return `${year}${month}${day}T${hour}${minute}${second}Z`
  throw usage(operation, `--snapshot ${text}`, 'it is not a date', 'write YYYY-MM-DD, or YYYYMMDDTHHMMSSZ')
}

function checkedLine(text: string, operation: string): string {
  const line = text.trim()
  if (/^deb\s+(\[[^\]]*\]\s*)?\S+:\S+\s+\S+/.test(line) && !/[\r\n]/.test(line)) return line
  const hint = "write it as in sources.list: 'deb [signed-by=/path/to.gpg] https://example.org/debian stable main'"
  throw usage(operation, `--source ${JSON.stringify(text)}`, 'it is not a source of packages', hint)
}

function keyringsFor(
  lines: readonly string[],
  distribution: Distribution | undefined,
  options: AptSourceOptions,
  operation: string,
): readonly string[] {
  const own = ownKeyring(options, operation)
  if (own.length > 0 || lines.every((line) => /^deb\s+\[[^\]]*(signed-by=|trusted=yes)/.test(line))) return own
  if (distribution && existsSync(distribution.keyring)) return [distribution.keyring]
  const there = distribution ? [] : distributions().filter(({ keyring }) => existsSync(keyring))
  if (there.length > 0) return there.map(({ keyring }) => keyring)
  const [first] = distributions()
  const wanted = distribution ?? (first as Distribution)
  throw new BuilderError('NOT_FOUND', {
    operation,
    object: wanted.keyring,
    reason: 'the keys that sign the packages are not on this machine',
    hint: `install the package ${wanted.keyringPackage}, or name a file with --keyring`,
  })
}

function ownKeyring({ keyring }: AptSourceOptions, operation: string): readonly string[] {
  if (keyring === undefined) return []
  const path = resolve(keyring)
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const { reason } = asBuilderError(error)
    const hint = 'check --keyring'
    throw new BuilderError('NOT_FOUND', { operation, object: keyring, reason, hint, cause: error })
  }
  // gpgv reads keys, armoured or not, and not the key box of GnuPG 2.1.
  if (bytes.length > 0 && bytes.toString('latin1', 8, 12) !== 'KBXf') return [path]
  throw new BuilderError('INVALID', {
    operation,
    object: keyring,
    reason: bytes.length === 0 ? 'the keyring is empty' : 'it is a key box, which apt cannot read',
    hint: `export the keys: gpg --no-default-keyring --keyring ${keyring} --export >keys.gpg`,
  })
}

function filesIn(folder: string): readonly string[] {
  return existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((name) => join(folder, name))
    : []
}

/** What cannot be read, apt cannot read either. */
function readable(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

function unknownSuite(suite: string, operation: string): BuilderError {
  const near = nearestWord(suite, knownSuites())
  const name = 'name its --mirror and its --keyring'
  const hint = near ? `did you mean ${near}? Else ${name}` : name
  return usage(operation, `--suite ${suite}`, 'neither Debian nor Ubuntu has a suite of that name', hint)
}

function nothingSaid(operation: string): BuilderError {
  const hint = 'say --suite (bookworm, noble, …), --source, or --from-host for the sources of this machine'
  return usage(operation, '', 'it is not said where the packages come from', hint)
}

function usage(operation: string, object: string, reason: string, hint?: string): BuilderError {
  return new BuilderError('USAGE', { operation, object, reason, ...(hint === undefined ? {} : { hint }) })
}
