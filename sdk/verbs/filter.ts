import { BuilderError } from '../errors.js'

/** Whether a thing has what a filter of that name asks for. */
export type Filter<T> = (thing: T, value: string) => boolean

/** Reads `key=value` filters. Throws `USAGE` for an unknown key. */
export function parseFilters<T>(
  verb: string,
  texts: readonly string[],
  known: Readonly<Record<string, Filter<T>>>,
): readonly ((thing: T) => boolean)[] {
  return texts.map((text) => {
    const at = text.indexOf('=')
    const fits = known[at < 0 ? text : text.slice(0, at)]
    if (fits && at >= 0) return (thing) => fits(thing, text.slice(at + 1))
    throw new BuilderError('USAGE', {
      operation: `${verb} --filter`,
      object: JSON.stringify(text),
      reason: 'it is not a filter of this verb',
      hint: `write one of ${Object.keys(known)
        .map((key) => `${key}=…`)
        .join(', ')}`,
    })
  })
}
