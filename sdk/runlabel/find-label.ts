import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { visible } from './show.js'

/** A label that was found. */
export interface FoundLabel {
  /** As the image spells it. */
  readonly name: string
  readonly text: string
}

/**
 * Finds a label without regard to case; the one that is spelt as asked counts first. Throws `NOT_FOUND` with the labels that there are,
 * `INVALID` when two differ in case alone and neither is spelt as asked.
 *
 * @example
 * ```ts
 * import { findLabel } from './find-label.js'
 * findLabel({ RUN: 'podman run IMAGE' }, 'run', 'web') // { name: 'RUN', text: 'podman run IMAGE' }
 * ```
 */
export function findLabel(labels: Readonly<Record<string, string>>, wanted: string, image: string): FoundLabel {
  const exact = Object.hasOwn(labels, wanted) ? labels[wanted] : undefined
  if (exact !== undefined) return { name: wanted, text: exact }
  const names = Object.keys(labels)
    .filter((name) => name.toLowerCase() === wanted.toLowerCase())
    .sort()
  const [name, second] = names
  if (name === undefined) throw missing(labels, wanted, image)
  if (second === undefined) return { name, text: labels[name] ?? '' }
  throw new BuilderError('INVALID', {
    operation: 'find label',
    object: visible(wanted),
    reason: `${image} has several that differ in case: ${names.map(visible).join(', ')}`,
    hint: 'spell the one that is meant',
  })
}

function missing(labels: Readonly<Record<string, string>>, wanted: string, image: string): BuilderError {
  const names = Object.keys(labels).sort()
  const near = nearestWord(wanted, names)
  const shown = names.slice(0, 20).map(visible).join(', ') + (names.length > 20 ? ', …' : '')
  return new BuilderError('NOT_FOUND', {
    operation: 'find label',
    object: visible(wanted),
    reason: `${image} has ${names.length === 0 ? 'no labels' : `only ${shown}`}`,
    hint: near === undefined ? 'write builder runlabel LABEL IMAGE' : `did you mean ${visible(near)}?`,
  })
}
