import { posix } from 'node:path'
import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import type { BindMount, MountFlag, Propagation } from './mount-request.js'

/**
 * Reads a `--volume`: `HOST:CONTAINER[:OPTION,…]`, both paths absolute.
 *
 * Options: `ro`, `rw` (default), `z` and `Z` (nothing to do: containers run with the caller's SELinux label),
 * `bind`, `rbind` (default), `nosuid`, `nodev`, `noexec` and their opposites, `private`, `rprivate` (default).
 *
 * Throws `USAGE` for another form or an unknown option, `UNSUPPORTED` for one that builder cannot honour (`O`, `U`, and
 * propagation where it may not be asked for).
 *
 * @param may - `propagate`: also `slave`, `rslave`, `shared` and `rshared`.
 *
 * @example
 * ```ts
 * import { parseVolume } from './volume.js'
 * parseVolume('/srv/cache:/var/cache:ro') // { type: 'bind', source: '/srv/cache', destination: '/var/cache', … }
 * ```
 */
export function parseVolume(text: string, may?: 'propagate'): BindMount {
  const [source, destination, options, ...more] = text.split(':')
  if (!source || !destination || more.length > 0) throw wrong(text, 'it is not HOST:CONTAINER[:OPTION,…]')
  if (!source.startsWith('/'))
    throw wrong(text, `${source} is not an absolute path`, 'there are no named volumes; write ./ paths in full')
  const mount = { type: 'bind' as const, source: posix.normalize(source), destination: insidePath(text, destination) }
  return { ...mount, ...bindOptions(text, options ? options.split(',') : [], may) }
}

/** A path in the container. Throws `USAGE` when it is not absolute (unless it may be relative) or is the root itself. */
export function insidePath(text: string, path: string, may: 'absolute' | 'relative' = 'absolute'): string {
  const normal = posix.normalize(path).replace(/(.)\/$/, '$1')
  if (!normal.startsWith('/') && may === 'absolute')
    throw wrong(text, `${path} is not an absolute path in the container`)
  if (normal === '/') throw wrong(text, 'nothing can be mounted over the root of the container')
  return normal
}

function bindOptions(
  text: string,
  options: readonly string[],
  may: 'propagate' | undefined,
): Omit<BindMount, 'type' | 'source' | 'destination'> {
  let propagation: Propagation | undefined
  const flags = new Set<MountFlag>()
  let [readonly, recursive] = [false, true]
  for (const option of options) {
    if (may === 'propagate' && isPropagation(option)) {
      propagation = option
      continue
    }
    if (Object.hasOwn(refused, option)) throw unsupported(text, option)
    if (!known.has(option)) throw unknownOption(text, option, known)
    if (option === 'ro' || option === 'rw') readonly = option === 'ro'
    if (option === 'bind' || option === 'rbind') recursive = option === 'rbind'
    setFlag(flags, option)
  }
  return { readonly, recursive, ...(flags.size ? { flags: [...flags] } : {}), ...(propagation ? { propagation } : {}) }
}

function isPropagation(option: string): option is Propagation {
  return option === 'slave' || option === 'rslave' || option === 'shared' || option === 'rshared'
}

/** Turns `nosuid`, `nodev`, `noexec` on and `suid`, `dev`, `exec` off; true when the word was one of these. */
export function setFlag(flags: Set<MountFlag>, option: string): boolean {
  if (option === 'nosuid' || option === 'nodev' || option === 'noexec') return !!flags.add(option)
  if (option !== 'suid' && option !== 'dev' && option !== 'exec') return false
  flags.delete(`no${option}`)
  return true
}

/** `USAGE` for a word that is no option, with the nearest that is. */
export function unknownOption(text: string, option: string, choices: Iterable<string>): BuilderError {
  const near = nearestWord(option, choices)
  return wrong(
    text,
    `there is no option ${JSON.stringify(option)}`,
    near ? `did you mean ${near}?` : `known are ${[...choices].join(', ')}`,
  )
}

/** `USAGE` for a mount that is wrongly written. */
export function wrong(text: string, reason: string, hint?: string): BuilderError {
  const parts = { operation: 'read mount', object: JSON.stringify(text), reason }
  return new BuilderError('USAGE', hint ? { ...parts, hint } : parts)
}

function unsupported(text: string, option: string): BuilderError {
  return new BuilderError('UNSUPPORTED', {
    operation: 'read mount',
    object: JSON.stringify(text),
    reason: `option ${option} is not supported`,
    hint: refused[option] as string,
  })
}

const propagation = 'mounts made during the run are private to it; leave the option out'
const refused: Readonly<Record<string, string>> = {
  O: 'copy the directory and mount the copy, or mount it with ro',
  U: 'change the owner of the directory beforehand, for example in builder unshare',
  shared: propagation,
  rshared: propagation,
  slave: propagation,
  rslave: propagation,
}
const known = new Set('ro rw z Z bind rbind private rprivate nosuid suid nodev dev noexec exec'.split(' '))
