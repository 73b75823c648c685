import { BuilderError } from '../errors.js'

/** A repository of git, and what of it. */
export interface GitAddress {
  /** What git is told: no credentials, no fragment, no query. */
  readonly url: string
  /** The `user:password` that stood in the address. */
  readonly credentials?: string
  /** Absent: what the repository has as its HEAD. */
  readonly ref?: { readonly kind: 'branch' | 'tag' | 'any'; readonly name: string }
  /** A folder of the repository. */
  readonly subdir?: string
  /** The commit, or how it begins: at least 7 hexadecimal digits. */
  readonly checksum?: string
  readonly keepGitDir?: boolean
  readonly submodules?: boolean
}

/**
 * Whether a text is the address of a git repository: `https://…/NAME.git`, `git://…`, `ssh://…`, `file://…`, `user@host:path`
 * or `github.com/…`. Source: Dockerfile reference, "ADD", and Docker manual, "Git repositories".
 */
export function isGitAddress(text: string): boolean {
  if (/^(?:git|ssh|file):\/\//.test(text) || text.startsWith('github.com/')) return true
  if (/^https?:\/\//.test(text)) return /\.git\/?(?:[?#]|$)/.test(text)
  return scpForm.test(text)
}

/**
 * Takes an address apart: behind `#` stands `REF:SUBDIR`; behind `?` stand `ref=`, `branch=`, `tag=`, `subdir=`, `checksum=` (or
 * `commit=`), `keep-git-dir=`, `submodules=`. Throws `USAGE`.
 */
export function parseGitAddress(text: string): GitAddress {
  const [whole = '', ...fragments] = text.split('#')
  const fragment = fragments.join('#')
  if (scpForm.test(whole) && !whole.includes('://')) return checked(text, { url: whole, ...fromFragment(fragment) })
  const url = readUrl(whole.startsWith('github.com/') ? `https://${whole}` : whole, text)
  const asked = fromQuery(url.searchParams, text)
  const credentials = url.username === '' ? undefined : [url.username, url.password].map(decodeURIComponent).join(':')
  if (fragment !== '' && (asked.ref || asked.subdir !== undefined))
    throw usage(shownGit(text), 'it names a ref or a folder behind # and behind ?', 'say it once')
  // The user of ssh is no secret and is part of the address.
  const isHttp = /^https?:$/.test(url.protocol)
  if (isHttp) {
    url.username = ''
    url.password = ''
  }
  url.search = ''
  return checked(text, {
    url: url.href,
    ...(isHttp && credentials !== undefined ? { credentials } : {}),
    ...fromFragment(fragment),
    ...asked,
  })
}

/** An address for a message: without the user, the password and the query. */
export function shownGit(text: string): string {
  return text
    .replace(/^(\w+:\/\/)[^/@]*:[^/@]*@/, '$1')
    .replace(/^(https?:\/\/)[^/@]*@/, '$1')
    .replace(/\?[^#]*/, '')
}

const scpForm =
  /^[A-Za-z0-9][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^/].*|^[A-Za-z0-9][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:\/[^/].*/

function readUrl(text: string, shown: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && (url.host !== '' || url.protocol === 'file:') && /^(?:https?|git|ssh|file):$/.test(url.protocol))
    return url
  throw usage(shownGit(shown), 'it is not the address of a git repository', 'write https://HOST/NAME.git#REF:FOLDER')
}

type Part = Omit<GitAddress, 'url' | 'credentials'>

function fromFragment(fragment: string): Part {
  const colon = fragment.indexOf(':')
  const ref = colon < 0 ? fragment : fragment.slice(0, colon)
  const subdir = colon < 0 ? '' : fragment.slice(colon + 1)
  return {
    ...(ref === '' ? {} : { ref: { kind: 'any' as const, name: ref } }),
    ...(subdir === '' ? {} : { subdir }),
  }
}

function fromQuery(query: URLSearchParams, text: string): Part {
  const strange = [...query.keys()].find((key) => !queryKeys.includes(key))
  if (strange !== undefined)
    throw usage(shownGit(text), `it has an unknown part ${strange}= behind ?`, `known are ${queryKeys.join(', ')}`)
  const refs = (['ref', 'branch', 'tag'] as const).filter((key) => query.has(key))
  if (refs.length > 1) throw usage(shownGit(text), `it names both ${refs.join('= and ')}=`, 'name one of them')
  const [key] = refs
  const kind = key === 'ref' ? 'any' : key
  const subdir = query.get('subdir')
  const checksum = query.get('checksum') ?? query.get('commit')
  return {
    ...(key && kind ? { ref: { kind, name: query.get(key) ?? '' } } : {}),
    ...(subdir === null ? {} : { subdir }),
    ...(checksum === null ? {} : { checksum }),
    ...flag(query, 'keep-git-dir', 'keepGitDir', text),
    ...flag(query, 'submodules', 'submodules', text),
  }
}

const queryKeys = ['ref', 'branch', 'tag', 'subdir', 'checksum', 'commit', 'keep-git-dir', 'submodules']

function flag(query: URLSearchParams, key: string, name: string, text: string): Record<string, boolean> {
  const value = query.get(key)
  if (value === null) return {}
  if (/^(?:true|1|)$/.test(value)) return { [name]: true }
  if (/^(?:false|0)$/.test(value)) return { [name]: false }
  throw usage(shownGit(text), `${key}=${value} is neither true nor false`, `write ${key}=true`)
}

/** What git itself would take for an option, or for more than a name, is no ref. Source: git-check-ref-format(1). */
function checked(text: string, address: GitAddress): GitAddress {
  const { ref, checksum, subdir } = address
  if (ref && !isRefName(ref.name))
    throw usage(shownGit(text), `${JSON.stringify(ref.name)} cannot be a branch, a tag or a commit`, 'check the name')
  if (checksum !== undefined && !/^[0-9a-f]{7,64}$/.test(checksum))
    throw usage(shownGit(text), `${JSON.stringify(checksum)} is not a commit`, 'write its hexadecimal digits')
  if (subdir?.includes('\0')) throw usage(shownGit(text), 'its folder holds a NUL byte', 'check the name')
  return address
}

function isRefName(name: string): boolean {
  if (name === '' || name.startsWith('-') || name.startsWith('/') || name.endsWith('/') || name.endsWith('.'))
    return false
  return !/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\.lock(?:\/|$)/u.test(name)
}

function usage(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('USAGE', { operation: 'read git address', object, reason, hint })
}
