import { dirname } from 'node:path'
import { BuilderError } from '../errors.js'
import type { IgnoreRules } from './ignore.js'
import { isGlob } from './ignore.js'
import type { Source } from './sources.js'

/**
 * What a copy leaves out. Paths are below a source; `top` is the source's own path from the context's top, empty for that itself;
 * `kept` what of it `--parents` keeps, empty without.
 */
export interface LeftOut {
  readonly ignores: (path: string, top: string, kept?: string) => boolean
  /** Whether something in a directory that is left out may come back, so that it has to be entered. */
  readonly enterIgnored: (path: string, top: string, kept?: string) => boolean
}

/**
 * Joins the rules of an ignore file, whose patterns count from the context's top, and those of `--exclude`, whose patterns count
 * from each source. Undefined where nothing is left out.
 */
export function leftOut(context: IgnoreRules | undefined, own: IgnoreRules | undefined): LeftOut | undefined {
  if (!context && !own) return undefined
  return {
    ignores: (path, top, kept = '') => own?.ignores(below(kept, path)) || context?.ignores(below(top, path)) || false,
    enterIgnored: (path, top, kept = '') => {
      const mine = !own?.ignores(below(kept, path)) || own.mayComeBackIn(below(kept, path))
      const all = below(top, path)
      return mine && (!context?.ignores(all) || context.mayComeBackIn(all))
    },
  }
}

/** Whether `--exclude` leaves out a source itself, which a pattern found: by its name, or by what `--parents` keeps. */
export function isExcluded(source: Source, { ignores }: Partial<Pick<LeftOut, 'ignores'>>, parents: boolean): boolean {
  const { byPattern, fromTop, name, kept } = source
  if (!byPattern || !ignores) return false
  const path = parents && kept ? kept.path : name
  return ignores(path, fromTop === path ? '' : dirname(fromTop))
}

/**
 * Sources without those that an ignore file leaves out. Throws `NOT_FOUND` for one that was named, and where nothing is left.
 *
 * @param asked - As they were named: what only a pattern found goes without a word.
 */
export function withoutIgnored(
  sources: readonly Source[],
  asked: readonly string[],
  rules: IgnoreRules | undefined,
  operation: string,
): readonly Source[] {
  if (!rules) return sources
  const isLeft = ({ fromTop, isDirectory }: Source) =>
    fromTop !== '' && rules.ignores(fromTop) && !(isDirectory && rules.mayComeBackIn(fromTop))
  const kept = sources.filter((source) => !isLeft(source))
  const gone = sources.find(isLeft)
  if (!gone || (kept.length > 0 && asked.some(isGlob))) return kept
  throw new BuilderError('NOT_FOUND', {
    operation,
    object: gone.fromTop,
    reason: 'the ignore file leaves it out of the context',
    hint: `bring it back with a line !${gone.fromTop} in it`,
  })
}

function below(top: string, path: string): string {
  return top === '' ? path : `${top}/${path}`
}
