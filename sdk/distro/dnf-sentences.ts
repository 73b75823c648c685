import type { BuilderError } from '../errors.js'
import { failure, full } from './dnf-outcome.js'

/** The failure that dnf tells of in words, by its own sentences; undefined for words that are not known. */
export function knownFailure(container: string, text: string): BuilderError | undefined {
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
    /All matches were filtered out by (\w+) filtering for argument: (\S+)/,
    (container, [, by, name]) =>
      by === 'modular'
        ? failure(
            'NOT_FOUND',
            container,
            `${name} is in a module that is not enabled`,
            'enable it: --enable-module NAME:STREAM',
          )
        : failure('NOT_FOUND', container, `--exclude leaves out every package of ${name}`, 'name fewer with --exclude'),
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
  // A key, or a package that is named by its address.
  [
    /(?:Curl error \(\d+\)|Status code): [^\n]* for (\S+)/,
    (container, [, place = ''], text) =>
      failure('NETWORK', container, `${place} cannot be fetched: ${networkReason(text)}`, checkAddress),
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

/** The last line that says something. */
export function lastError(text: string): string {
  return (
    text
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('Warning: '))
      .at(-1)
      ?.replace(/^Error: /, '') ?? ''
  )
}
