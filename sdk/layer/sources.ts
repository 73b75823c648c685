import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { BuilderError } from '../errors.js'
import { resolveInRoot } from '../namespace/rooted-path.js'
import { globRegExp, isGlob } from './ignore.js'

/** A file or folder that was asked for. */
export interface Source {
  /** Where it is on this machine, links resolved. */
  readonly path: string
  /** Its last name as asked for. */
  readonly name: string
  readonly isDirectory: boolean
  /** Its path from the context's top, for ignore rules. */
  readonly fromTop: string
}

/**
 * Finds what the sources of a copy name. In a context (or another root) every path is taken from its top and no link leads
 * out; without one, paths are the caller's own. Globs: `*`, `?`, `[…]`, `**`.
 * Throws `NOT_FOUND` for a source that is not there and for a glob that fits nothing.
 */
export function findSources(asked: readonly string[], context: string | undefined, operation: string): Source[] {
  const top = context === undefined ? undefined : realpathSync(context)
  return asked.flatMap((source) => {
    const paths = isGlob(source) && !existsSync(resolve(top ?? '.', source)) ? expand(source, top) : [source]
    if (paths.length === 0) throw notFound(operation, source, 'nothing fits', context)
    return paths.map((path) => find(path, top, operation))
  })
}

function find(path: string, top: string | undefined, operation: string): Source {
  const at = top === undefined ? resolve(path) : resolveInRoot(top, path)
  const info = statSync(at, { throwIfNoEntry: false })
  if (!info)
    throw notFound(
      operation,
      path,
      lstatSync(at, { throwIfNoEntry: false }) ? 'the link leads nowhere' : 'no such file or folder',
      top,
    )
  const real = realpathSync(at)
  const fromTop = relative(top ?? process.cwd(), real)
  return { path: real, name: basename(resolve('/', path)), isDirectory: info.isDirectory(), fromTop }
}

/** Walks only as deep as the pattern has names, or all the way for `**`. */
function expand(pattern: string, top: string | undefined): string[] {
  const absolute = isAbsolute(pattern)
  const base = top ?? (absolute ? '/' : process.cwd())
  const bare = pattern.replace(/^(?:\.?\/)+/, '')
  const names = bare.split('/')
  const deep = bare.includes('**')
  const fits = globRegExp(bare)
  const found: string[] = []
  walk(base, '', 0)
  return found.map((path) => (absolute ? `/${path}` : path))

  function walk(folder: string, below: string, depth: number): void {
    const name = globRegExp(names[depth] ?? '')
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (!deep && !name.test(entry.name)) continue
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (fits.test(path)) found.push(path)
      const more = deep || depth + 1 < names.length
      if (more && entry.isDirectory()) walk(join(folder, entry.name), path, depth + 1)
    }
  }
}

function notFound(operation: string, object: string, reason: string, context: string | undefined): BuilderError {
  const where = context === undefined ? process.cwd() : context.replace(new RegExp(`${sep}$`), '')
  return new BuilderError('NOT_FOUND', { operation, object, reason, hint: `paths are taken from ${where}` })
}
