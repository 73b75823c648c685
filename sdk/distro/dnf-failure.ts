import { BuilderError, type ErrorCode, RunError } from '../errors.js'
import { idError, isMapped } from '../namespace/idmap.js'
import { type DnfEvent, type DnfUnpackFailure, nevraOf } from './dnf-event.js'

/** How dnf ended, and what it told on its way. */
export interface DnfOutcome {
  readonly argv: readonly string[]
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  readonly events: readonly DnfEvent[]
}

/**
 * The failure of a dnf that has ended, also where dnf itself says that all is well: scripts of packages that failed, users that
 * are missing. Undefined when there is none. `container` is the name to tell.
 */
export function dnfFailure(container: string, outcome: DnfOutcome): BuilderError | undefined {
  const told = toldFailure(container, outcome)
  if (told) return told
  if (outcome.exitCode === 0) return undefined
  return knownFailure(container, textOf(outcome)) ?? otherFailure(container, outcome)
}

type Told<Name extends DnfEvent['event']> = Extract<DnfEvent, { event: Name }>

function toldFailure(container: string, outcome: DnfOutcome): BuilderError | undefined {
  const first = <Name extends DnfEvent['event']>(name: Name) =>
    outcome.events.find((event): event is Told<Name> => event.event === name)
  const gone = first('gone')
  if (gone) return goneFailure(container, gone)
  const other = first('other')
  if (other) return otherSet(container, other)
  const devices = first('devices')
  if (devices) return deviceFailure(container, devices)
  const unpack = first('unpack')
  if (unpack) return unpackFailure(container, unpack, outcome)
  const failed = first('failed')
  if (failed) return scriptFailure(container, failed, outcome)
  const missing = first('missing')
  return missing ? missingFailure(container, missing) : undefined
}

function goneFailure(container: string, { packages }: Told<'gone'>): BuilderError {
  const names = packages.map(nevraOf).sort().join(', ')
  const reason = `its lock names packages that no repository has any more, and neither has the cache: ${names}`
  const hint = 'bring them back to a repository, or remove the lock file to write it anew'
  return failure('NOT_FOUND', container, reason, hint)
}

function otherSet(container: string, { missing, more }: Told<'other'>): BuilderError {
  const list = (packages: Told<'other'>['more']) => packages.map(nevraOf).sort().join(', ')
  const parts = [
    ...(missing.length > 0 ? [`the lock has ${list(missing)}, which would not be installed`] : []),
    ...(more.length > 0 ? [`${list(more)} would be, which the lock has not`] : []),
  ]
  const hint = 'begin with the container that the lock was written for, or remove the lock file to write it anew'
  return failure('INVALID', container, parts.join('; '), hint)
}

function deviceFailure(container: string, told: Told<'devices'>): BuilderError {
  const reason = `package ${told.package} has devices, and a plain user cannot make any: ${told.paths.join(', ')}`
  return failure(
    'UNSUPPORTED',
    container,
    reason,
    `work as root, or leave the package out: --exclude ${nameOf(told.package)}`,
  )
}

function unpackFailure(container: string, told: DnfUnpackFailure, outcome: DnfOutcome): BuilderError {
  const { path, reason, uid, gid } = told
  const isForeign =
    /chown/.test(reason) && ((uid != null && !isMapped('uid', uid)) || (gid != null && !isMapped('gid', gid)))
  if (isForeign) {
    const error = idError('dnf install', path, uid ?? 0, gid ?? 0)
    const why = error.reason.replace(` of ${path} `, ` of ${path} in package ${told.package} `)
    return new BuilderError('ID_MAP', { operation: 'dnf', object: container, reason: why, hint: error.hint ?? '' })
  }
  if (/No space left on device/.test(reason + textOf(outcome))) return full(container)
  const of = told.package === '' ? 'a package' : `package ${told.package}`
  const said = `${of} cannot be unpacked: ${path === '' ? reason : `${path}: ${reason}`}`
  return failure('RUN', container, said, 'look at what is at that path in the container', outcome)
}

function scriptFailure(container: string, { text }: Told<'failed'>, outcome: DnfOutcome): BuilderError {
  const said = outcome.events.flatMap((event) => (event.event === 'text' ? event.text.trimEnd().split('\n') : []))
  const lines = said.filter((line) => /scriptlet failed|exit status/.test(line))
  const at = said.indexOf(lines[0] ?? '')
  const before = at > 0 ? said.slice(Math.max(0, at - 3), at) : []
  const detail = [...before, ...(lines.length > 0 ? lines.slice(0, 1) : said.slice(-2))].join(' / ')
  if (/No space left on device/.test(detail)) return full(container)
  const reason = `${text.replace(/^Error/, 'error')}${detail === '' ? '' : `: ${detail}`}`
  const name = /package (\S+)$/.exec(text)?.[1] ?? 'NAME'
  const hint = `the container is as it was; rpm -qp --scripts shows what it would do, --exclude ${name} leaves it out`
  return failure('RUN', container, reason, hint, outcome)
}

function missingFailure(container: string, { kind, name, packages }: Told<'missing'>): BuilderError {
  const reason = `files of ${packages.join(', ') || 'a package'} belong to ${kind} ${name}, which does not exist in the container; they would be root's`
  const make = kind === 'user' ? `useradd --system ${name}` : `groupadd --system ${name}`
  return failure('INVALID', container, reason, `install first the package that makes it, or make it yourself (${make})`)
}

/** What dnf says in words, by its own sentences. */
function knownFailure(container: string, text: string): BuilderError | undefined {
  for (const [pattern, tell] of sentences) {
    const match = pattern.exec(text)
    if (match) return tell(container, match, text)
  }
  return undefined
}

type Tell = (container: string, match: RegExpExecArray, text: string) => BuilderError

const sentences: readonly (readonly [RegExp, Tell])[] = [
  [/No space left on device|more space needed on the/, (container) => full(container)],
  [
    /Cache-only enabled but no cache for '?([^\s']+)'?/,
    (container, [, id]) =>
      failure(
        'NOT_FOUND',
        container,
        `there is no metadata of repository ${id} in the cache`,
        'run it once without --offline',
      ),
  ],
  [
    /Some packages have invalid cache, but cannot be downloaded/,
    (container) => failure('NOT_FOUND', container, 'a package is not in the cache', 'run it once without --offline'),
  ],
  [
    /Failed to download metadata for repo '([^']*)'(?:: (.*))?/,
    (container, [, id, why], text) =>
      failure('NETWORK', container, `repository ${id} cannot be reached: ${networkReason(text) ?? why}`, checkAddress),
  ],
  [
    /Error downloading packages:\s*([^\n]*)/,
    (container, [, why], text) =>
      failure('NETWORK', container, `a package cannot be downloaded: ${networkReason(text) ?? why}`, checkAddress),
  ],
  [
    /Package (\S+) is not signed/,
    (container, [, name]) => failure('DENIED', container, `package ${name} is not signed`, trustHint),
  ],
  [
    /Public key for (\S+) is not (?:installed|trusted)/,
    (container, [, name]) =>
      failure('DENIED', container, `package ${name} is signed by a key that is not known`, keyHint),
  ],
  [
    /(?:GPG|PGP) check FAILED|bad (?:GPG|PGP) signature/i,
    (container, _, text) =>
      failure('DENIED', container, `a package is not signed as it should be: ${lastError(text)}`, keyHint),
  ],
  [
    /You have enabled checking of packages via (?:GPG|PGP|OpenPGP) keys/,
    (container) => failure('DENIED', container, 'packages are to be checked and no key is named', keyHint),
  ],
  [
    /There are no enabled repositories|No repositories|no enabled repos/i,
    (container) =>
      failure(
        'USAGE',
        container,
        'no repository is named',
        "name one with --repo ID=URL or --repofile, or take the host's with --from-host",
      ),
  ],
  [
    /(?:No match for argument|Unable to find a match|No package|missing groups or modules):? (.*)/,
    (container, _, text) =>
      failure('NOT_FOUND', container, `no repository has ${missingNames(text)}`, suggestion(text)),
  ],
  [
    /Problem(?: \d+)?: |conflicting requests|nothing provides/,
    (container, _, text) =>
      failure(
        'RUN',
        container,
        `the packages do not go together: ${problem(text)}`,
        'see what requires what with builder dnf CONTAINER repoquery --requires',
      ),
  ],
  [
    /file (\S+) (?:from install of|conflicts between).*/,
    (container, [all]) =>
      failure('RUN', container, `two packages have the same file: ${all}`, 'leave one of them out with --exclude'),
  ],
]

const checkAddress = 'check its address and the network; --offline takes what is in the cache'
const trustHint = 'take it from a repository that signs, or say that you trust it with --nogpgcheck'
const keyHint = 'name the key: --repo ID=URL,gpgkey=FILE; or say that you trust it with --nogpgcheck'

function networkReason(text: string): string | undefined {
  const curl = /Curl error \(\d+\): ([^\n[]*)(?:\[([^\]\n]*)\])?/.exec(text)
  const status = /Status code: (\d+) for (\S+)/.exec(text)
  if (status) return `status ${status[1]} for ${status[2]}`
  return curl ? [curl[1]?.trim(), curl[2]].filter(Boolean).join(': ') : undefined
}

function missingNames(text: string): string {
  const all = [
    ...text.matchAll(/(?:No match for argument|Unable to find a match|No package|missing groups or modules):? (.*)/g),
  ]
  return [...new Set(all.flatMap(([, names = '']) => names.split(/[\s,]+/)))].filter(Boolean).join(', ')
}

function suggestion(text: string): string {
  const near = /(?:alternatives for .*|Did you mean|perhaps you meant):? (.*)/i.exec(text)?.[1]
  return near === undefined ? 'check its name: builder dnf CONTAINER repoquery NAME' : `did you mean ${near}`
}

function problem(text: string): string {
  const all = text.split('\n')
  const from = all.findIndex((line) => /Problem(?: \d+)?:|nothing provides|conflicting/.test(line))
  const end = all.findIndex((line, i) => i > from && !/^\s+\S/.test(line))
  const lines = all.slice(0, end < 0 ? all.length : end).map((line) => line.trim())
  return lines
    .slice(from, from + 4)
    .filter((line) => line !== '' && !line.startsWith('('))
    .join(' ')
    .replace(/^Error:\s*/, '')
}

function lastError(text: string): string {
  return (
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .at(-1)
      ?.replace(/^Error: /, '') ?? ''
  )
}

function otherFailure(container: string, outcome: DnfOutcome): BuilderError {
  const reason = lastError(outcome.stderr) || lastError(outcome.stdout) || `it ended with exit code ${outcome.exitCode}`
  return failure('RUN', container, reason, 'its output is in the error; --log-level debug shows it', outcome)
}

function full(container: string): BuilderError {
  return failure('SYSTEM', container, 'the disk is full', 'free some space (builder prune, builder rmi) and try again')
}

function textOf({ stderr, stdout, events }: DnfOutcome): string {
  const told = events.flatMap((event) => (event.event === 'text' ? [event.text] : []))
  return [stderr, ...told, stdout].join('\n')
}

function failure(code: ErrorCode, object: string, reason: string, hint: string, outcome?: DnfOutcome): BuilderError {
  const parts = { operation: 'dnf', object, reason, hint }
  if (code !== 'RUN') return new BuilderError(code, parts)
  const { argv = [], exitCode = 1, stdout = '', stderr = '' } = outcome ?? {}
  return new RunError({
    ...parts,
    argv,
    exitCode: exitCode || 1,
    stdout: stdout.slice(-kept),
    stderr: stderr.slice(-kept),
  })
}

/** As much of a stream as a RunError keeps. */
const kept = 16 * 1024

/** `httpd` of `httpd-2.4.1-1.x86_64`. */
function nameOf(nevra: string): string {
  return nevra.replace(/-[^-]*-[^-]*$/, '')
}
