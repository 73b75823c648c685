import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, isAbsolute, join, posix, relative, resolve, sep } from 'node:path'
import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { resolveInRoot } from '../namespace/rooted-path.js'
import { globRegExp, isGlob } from './ignore.js'
import { globSource } from './ignore-pattern.js'
import { bytesOf, readable, systemPath } from './names.js'

/** A file or folder that was asked for. */
export interface Source {
  /** Where it is on this machine, links resolved. */
  readonly path: string
  /** Its last name as asked for; empty where it has none. */
  readonly name: string
  readonly isDirectory: boolean
  /** Its path from the context's top, for ignore rules. */
  readonly fromTop: string
  /** What `--parents` keeps: the folder that it starts at, on this machine, and the path from there. */
  readonly kept?: { readonly base: string; readonly path: string }
  /** Found by a pattern, not named itself. */
  readonly byPattern?: boolean
  /** Its path and its name as bytes in latin1 (see names.ts), where they are not UTF-8. */
  readonly bytes?: { readonly path: string; readonly name: string }
}

/** Where a source is, and its name, as bytes in latin1. */
export function sourceBytes({ path, name, bytes }: Source): { readonly path: string; readonly name: string } {
  return bytes ?? { path: bytesOf(path), name: bytesOf(name) }
}

/**
 * Finds what the sources of a copy name. In a context (or another root) every path is taken from its top and no link leads
 * out; without one, paths are the caller's own. Patterns are Go's filepath.Match, and `**`; what none of them fits may be a name
 * as it stands. `a/./b` is `a/b`, of which `--parents` keeps `b`.
 * Throws `NOT_FOUND` for a source that is not there and where patterns fit nothing at all, `USAGE` for a malformed pattern, `INVALID`
 * for a socket.
 */
export function findSources(
  asked: readonly string[],
  context: string | undefined,
  operation: string,
  options: { readonly mayBeNone?: boolean } = {},
): Source[] {
  const search: Search = { operation, ...(context === undefined ? {} : { top: realpathSync(context) }) }
  const found = asked.flatMap((source) => {
    const fits = isGlob(source) ? expand(source, search) : []
    if (fits.length > 0 || (isGlob(source) && !isThere(source, search))) return fits
    return [find(source, search)]
  })
  const pattern = asked.find(isGlob)
  if (found.length > 0 || options.mayBeNone || pattern === undefined) return found
  throw notFound(search, pattern, 'nothing fits')
}

interface Search {
  readonly operation: string
  /** Absolute path of the context. */
  readonly top?: string
}

function find(path: string, search: Search): Source {
  const { top, operation } = search
  const at = placeOf(path, search)
  const info = statSync(at, { throwIfNoEntry: false })
  if (!info) throw absent(path, at, search)
  if (info.isSocket()) throw socket(operation, path)
  const real = realpathSync(at)
  const fromTop = relative(top ?? process.cwd(), real)
  return {
    path: real,
    name: basename(resolve('/', path)),
    isDirectory: info.isDirectory(),
    fromTop,
    kept: keptOf(path, search),
  }
}

/** Source: Dockerfile reference, "COPY --parents": what is before the first `/./` is not kept. */
function keptOf(path: string, search: Search): { base: string; path: string } {
  const pivot = path.indexOf('/./')
  const [before, behind] =
    pivot < 0 ? [isAbsolute(path) ? '/' : '.', path] : [path.slice(0, pivot) || '/', path.slice(pivot)]
  return { base: placeOf(before, search), path: posix.join('/', behind).replace(/^\/|\/$/g, '') }
}

function placeOf(path: string, { top }: Search): string {
  return top === undefined ? resolve(path) : resolveInRoot(top, path)
}

function isThere(path: string, search: Search): boolean {
  return statSync(placeOf(path, search), { throwIfNoEntry: false }) !== undefined
}

/** Walks only as deep as the pattern has names, or all the way for `**`; what stands before its first pattern is a path. */
function expand(pattern: string, search: Search): Source[] {
  if (globSource(pattern) === undefined) {
    if (isThere(pattern, search)) return []
    throw malformed(search.operation, pattern)
  }
  const parts = pattern.split('/')
  const first = parts.findIndex(isGlob)
  const lead = parts.slice(0, first).join('/') + (first > 0 ? '/' : '')
  const names = parts.slice(first).filter((part) => part !== '' && part !== '.')
  const deep = names.some((name) => name.includes('**'))
  const fits = globRegExp(names.join('/'))
  const found: Source[] = []
  const base = placeOf(lead === '' ? '.' : lead, search)
  if (statSync(base, { throwIfNoEntry: false })?.isDirectory()) walk(bytesOf(base), '', 0)
  return found

  function walk(folder: string, below: string, depth: number): void {
    const name = globRegExp(names[depth] ?? '')
    for (const entry of readdirSync(systemPath(folder), 'latin1').sort()) {
      if (!deep && !name.test(readable(entry))) continue
      const path = below === '' ? entry : `${below}/${entry}`
      if (fits.test(readable(path))) found.push(...fitting(path))
      const more = deep || depth + 1 < names.length
      if (more && lstatSync(systemPath(`${folder}/${entry}`)).isDirectory()) walk(`${folder}/${entry}`, path, depth + 1)
    }
  }

  function fitting(path: string): Source[] {
    const text = readable(path)
    // A pattern that fits more than files takes what can be copied.
    if (statSync(systemPath(`${bytesOf(base)}/${path}`), { throwIfNoEntry: false })?.isSocket()) return []
    if (bytesOf(text) === path) {
      const pivot = pattern.includes('/./') && !lead.includes('/./') ? pivoted(text, pattern.slice(lead.length)) : text
      return [{ ...find(lead + pivot, search), byPattern: true }]
    }
    return [{ ...odd(path, text), byPattern: true }]
  }

  /** A name that is not UTF-8 can only be found, not written. */
  function odd(path: string, text: string): Source {
    const at = `${bytesOf(base)}/${path}`
    const isDirectory = lstatSync(systemPath(at)).isDirectory()
    const fromTop = relative(search.top ?? process.cwd(), join(base, text))
    const bytes = { path: at, name: path.slice(path.lastIndexOf('/') + 1) }
    return { path: readable(at), name: readable(bytes.name), isDirectory, fromTop, bytes }
  }
}

/** Puts the `/./` of a pattern into a path that it fits: behind as many names. */
function pivoted(path: string, pattern: string): string {
  const before = pattern.slice(0, pattern.indexOf('/./')).split('/').filter(Boolean).length
  const names = path.split('/')
  return [...names.slice(0, before), '.', ...names.slice(before)].join('/')
}

function absent(path: string, at: string, search: Search): BuilderError {
  if (lstatSync(at, { throwIfNoEntry: false })) return notFound(search, path, 'the link leads nowhere')
  const folder = join(at, '..')
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false
  const near = isFolder ? nearestWord(basename(at), readdirSync(folder)) : undefined
  const offered = near === undefined ? undefined : join(posix.dirname(path), near)
  return notFound(search, path, 'no such file or folder', offered)
}

function notFound({ operation, top }: Search, object: string, reason: string, near?: string): BuilderError {
  const where = top === undefined ? process.cwd() : top.replace(new RegExp(`${sep}$`), '')
  const hint = `${near === undefined ? '' : `did you mean ${near}? `}paths are taken from ${where}`
  return new BuilderError('NOT_FOUND', { operation, object, reason, hint })
}

function malformed(operation: string, object: string): BuilderError {
  const hint = 'close the [ with ], or write [[] for the character itself'
  return new BuilderError('USAGE', { operation, object, reason: 'the pattern is malformed', hint })
}

function socket(operation: string, object: string): BuilderError {
  return new BuilderError('INVALID', {
    operation,
    object,
    reason: 'it is a socket, which no image can hold',
    hint: 'name files and folders',
  })
}
