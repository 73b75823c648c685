import { BuilderError } from '../errors.js'

/** A path and what of it: the second part is a ref in a layout, a name in an archive. */
export interface Location {
  readonly path: string
  readonly ref?: string
}

/**
 * Reads `path[:ref]`: the first colon separates, as in containers/image; an empty ref is none. Throws `USAGE`.
 */
export function parseLocation(rest: string, transport: string): Location {
  const colon = rest.indexOf(':')
  const path = colon < 0 ? rest : rest.slice(0, colon)
  const ref = colon < 0 ? '' : rest.slice(colon + 1)
  if (path === '' || path.includes('\0'))
    throw usage(`${transport}:${rest}`, 'it has no path', `write ${transport}:PATH`)
  return ref === '' ? { path } : { path, ref }
}

/** Checks a ref that is going to be written. Source: OCI image-spec, annotations.md, ref.name. Throws `USAGE`. */
export function checkRef(ref: string, name: string): void {
  if (refPattern.test(ref)) return
  throw usage(name, `${JSON.stringify(ref)} cannot be a ref`, 'use letters, digits, and . _ - : @ + / between them')
}

/** A location that is written wrongly. */
export function usage(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('USAGE', { operation: 'read image location', object, reason, hint })
}

const component = '[A-Za-z0-9]+(?:(?:--|[-._:@+])[A-Za-z0-9]+)*'
const refPattern = new RegExp(`^${component}(?:/${component})*$`)
