import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'

/** A request in dnf's words. */
export interface DnfRequest {
  /** One word, or two as `group install`. */
  readonly command: readonly string[]
  readonly words: readonly string[]
  /** `reads`: it changes nothing in the root, and prints what was asked for. */
  readonly does: 'changes' | 'reads' | 'downloads'
  /** It brings packages in, and so there can be a lock of it. */
  readonly brings: boolean
}

/** Reads a request. Words that name files become absolute, packages are sorted. Throws `USAGE`. */
export function parseDnfRequest(request: readonly string[], folder: string): DnfRequest {
  const [first, second] = request
  if (first === undefined)
    throw wrong('', 'no request is given', 'write for example: builder dnf CONTAINER install httpd')
  const isPair = first in pairs
  const name = isPair ? `${first} ${second ?? ''}` : first
  const does = isPair ? pairs[first]?.[second ?? ''] : commands[first]
  if (does === undefined)
    throw unknown(
      name,
      isPair
        ? Object.keys(pairs[first] ?? {}).map((one) => `${first} ${one}`)
        : [...Object.keys(commands), 'group install', 'module enable'],
    )
  const command = request.slice(0, isPair ? 2 : 1)
  const words = request.slice(command.length).map((word) => fileOr(word, folder))
  if (words.length === 0 && naming.includes(name))
    throw wrong(name, 'no package is named', `write builder dnf CONTAINER ${name} PACKAGE…`)
  const isOrdered = first === 'swap' || words.some((word) => word.startsWith('-'))
  const brings =
    does === 'changes' &&
    /^(?:install|local|upgrade|update|downgrade|reinstall|distro|dsync|swap)/.test(name.split(' ').at(-1) ?? '')
  return { command, words: isOrdered ? words : [...new Set(words)].sort(), does, brings }
}

type Does = DnfRequest['does']

const changing = [
  'install',
  'localinstall',
  'remove',
  'erase',
  'rm',
  'autoremove',
  'upgrade',
  'update',
  'upgrade-minimal',
]
const changingToo = ['downgrade', 'reinstall', 'distro-sync', 'dsync', 'swap', 'mark']
const reading = ['repoquery', 'list', 'info', 'search', 'provides', 'whatprovides', 'repolist', 'repoinfo', 'deplist']
const readingToo = ['check', 'check-update', 'updateinfo', 'makecache']

const commands: Readonly<Record<string, Does>> = {
  ...both([...changing, ...changingToo], 'changes'),
  ...both([...reading, ...readingToo], 'reads'),
  download: 'downloads',
}

/** They are nothing without a name; dnf says so with words of its own command line. */
const naming = ['install', 'localinstall', 'remove', 'erase', 'rm', 'reinstall', 'download', 'group install']

const pairs: Readonly<Record<string, Readonly<Record<string, Does>>>> = {
  group: {
    ...both(['install', 'remove', 'upgrade', 'update'], 'changes'),
    ...both(['list', 'info', 'summary'], 'reads'),
  },
  module: {
    ...both(['enable', 'disable', 'reset', 'install', 'remove', 'update', 'switch-to'], 'changes'),
    ...both(['list', 'info', 'provides'], 'reads'),
  },
}

function both(names: readonly string[], does: Does): Record<string, Does> {
  return Object.fromEntries(names.map((name) => [name, does]))
}

function fileOr(word: string, folder: string): string {
  return word.endsWith('.rpm') && existsSync(resolve(folder, word)) ? resolve(folder, word) : word
}

function unknown(name: string, known: readonly string[]): BuilderError {
  const near = nearestWord(name, known)
  const hint = near === undefined ? `write one of ${known.join(', ')}` : `did you mean ${near}?`
  return wrong(name.trim(), 'it is no request that dnf takes for a container', hint)
}

function wrong(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('USAGE', { operation: 'dnf', object, reason, hint })
}
