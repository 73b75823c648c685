import { BuilderError } from '../errors.js'
import { idError, isMapped } from '../namespace/idmap.js'
import { type DnfEvent, type DnfUnpackFailure, nevraOf } from './dnf-event.js'
import { type DnfOutcome, failure, full, textOf } from './dnf-outcome.js'
import { knownFailure, lastError } from './dnf-sentences.js'

/**
 * The failure of a dnf that has ended, also where dnf itself says that all is well: scripts of packages that failed, users that
 * are missing. Undefined when there is none. `container` is the name to tell.
 */
export function dnfFailure(container: string, outcome: DnfOutcome): BuilderError | undefined {
  const told = toldFailure(container, outcome)
  if (told) return told
  const hidden = hiddenFailure(container, outcome)
  if (hidden || outcome.exitCode === 0) return hidden
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

/** The same from the words of rpm, for a dnf that takes no plugin. */
function hiddenFailure(container: string, outcome: DnfOutcome): BuilderError | undefined {
  const text = textOf(outcome)
  const unpack = /unpacking of archive failed(?: on file ([^;:\n]*))?[^:\n]*: (.*)/.exec(text)
  if (unpack) {
    const [, path = '', reason = ''] = unpack
    return unpackFailure(container, { event: 'unpack', package: '', path, reason }, outcome)
  }
  const script = scriptWords(text)
  if (script) return scriptFailure(container, { event: 'failed', text: script }, outcome)
  const [, kind, name] = /(user|group) (\S+) does not exist - using/.exec(text) ?? []
  if (name !== undefined)
    return missingFailure(container, { event: 'missing', kind: kind as 'user' | 'group', name, packages: [] })
  return outcome.exitCode === 0 ? absentFailure(container, text) : undefined
}

/** What is to be removed or upgraded and is not there; dnf does the rest, and is content. */
function absentFailure(container: string, text: string): BuilderError | undefined {
  const found = [...text.matchAll(/^(?:No match for argument|No packages to remove for argument): (.*)$/gm)]
  const names = [...new Set(found.map(([, name = '']) => name.trim()))].join(', ')
  if (names === '') return undefined
  return failure('NOT_FOUND', container, `no such package is installed: ${names}`, `see builder packages ${container}`)
}

/** rpm's words, and those of dnf5, which marks its lines with `>>>` and says what a script printed in the next one. */
function scriptWords(text: string): string | undefined {
  const lines = text.split('\n').map((line) => line.replace(/^[>\s]+/, ''))
  const at = lines.findIndex((line) => /scriptlet failed|[Ee]rror in .*scriptlet/.test(line))
  const line = lines[at]
  if (line === undefined) return undefined
  const next = lines.slice(at + 1).find((one) => one !== 'Scriptlet output:') ?? ''
  const [, script, package_] = /[Ee]rror in (%\w+) scriptlet: (\S+)$/.exec(line) ?? []
  if (package_ === undefined) return line
  return `error in the script ${script}${next === '' ? '' : ` (${next.replace(/^\[RPM\] /, '')})`} of package ${package_}`
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
  const name = /package (\S+?)(?:-\d+:[^-]*-[^-]*)?$/.exec(text)?.[1] ?? 'NAME'
  const hint = `the container is as it was; rpm -qp --scripts shows what it would do, --exclude ${name} leaves it out`
  return failure('RUN', container, reason, hint, outcome)
}

function missingFailure(container: string, { kind, name, packages }: Told<'missing'>): BuilderError {
  const reason = `files of ${packages.join(', ') || 'a package'} belong to ${kind} ${name}, which does not exist in the container; they would be root's`
  const make = kind === 'user' ? `useradd --system ${name}` : `groupadd --system ${name}`
  return failure('INVALID', container, reason, `install first the package that makes it, or make it yourself (${make})`)
}

function otherFailure(container: string, outcome: DnfOutcome): BuilderError {
  const reason = lastError(outcome.stderr) || lastError(outcome.stdout) || `it ended with exit code ${outcome.exitCode}`
  return failure('RUN', container, reason, 'its output is in the error; --log-level debug shows it', outcome)
}

/** `httpd` of `httpd-2.4.1-1.x86_64`. */
function nameOf(nevra: string): string {
  return nevra.replace(/-[^-]*-[^-]*$/, '')
}
