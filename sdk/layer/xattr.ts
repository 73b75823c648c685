import { getXattr, listXattrs, type Path } from '../namespace/libc.js'
import { opaqueXattrs } from './whiteout.js'

/** The extended attributes of a file as a layer sees them. */
export interface Xattrs {
  /** Those that belong in a layer, sorted by name; names and values are bytes as latin1. */
  readonly carried: readonly (readonly [name: string, value: string])[]
  /** The directory hides what is below it. */
  readonly opaque: boolean
  /** An overlay attribute that says: the content is somewhere else. */
  readonly elsewhere: string | undefined
}

/** Reads the attributes of a file, never following a link. */
export function readXattrs(path: Path): Xattrs {
  const names = listXattrs(path)
  if (names.length === 0) return none
  const carried = names.filter(isCarried).flatMap((name) => {
    const value = getXattr(path, name)
    return value ? [[name, value.toString('latin1')] as const] : []
  })
  const opaque = names.some((name) => opaqueXattrs.has(name) && getXattr(path, name)?.toString() === 'y')
  return { carried, opaque, elsewhere: names.find((name) => elsewhere.test(name)) }
}

/**
 * True for the attributes that a layer carries: capabilities, access lists, the user's own. Labels of security
 * modules belong to the machine, `trusted.*` can only be read by real root, and what an overlay driver notes for itself
 * would mislead the next one.
 */
export function isCarried(name: string): boolean {
  if (name.startsWith('user.')) return !driverOwn.test(name)
  return name === 'security.capability' || name.startsWith('system.posix_acl_')
}

const none: Xattrs = { carried: [], opaque: false, elsewhere: undefined }
const driverOwn = /^user\.(overlay|fuseoverlayfs)\./
const elsewhere = /^(trusted|user)\.overlay\.(redirect|metacopy)$/
