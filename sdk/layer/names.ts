/**
 * File names are bytes. In this room they travel as latin1 strings, one character a byte: they compare and sort as
 * bytes, and serve as keys. Only here do they become what a system call takes or what a reader sees.
 */
import { BuilderError } from '../errors.js'

/** The bytes of an ordinary path string, as a latin1 string. */
export function bytesOf(path: string): string {
  return isAscii(path) ? path : Buffer.from(path).toString('latin1')
}

/** What a system call takes for a path given as latin1: a string where that says the same, for it is faster. */
export function systemPath(bytes: string): string | Buffer {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1')
}

/** The path as a reader sees it in a message: UTF-8, with a replacement character for what is not. */
export function readable(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8')
}

export function isAscii(text: string): boolean {
  return !beyondAscii.test(text)
}

/**
 * The plain form of a tar entry's name, relative to the root: a leading `/`, `.` and empty parts count for nothing; the
 * root itself is empty. Throws `UNSAFE` for `..`, `INVALID` for a NUL byte.
 */
export function plainName(name: string, operation: string): string {
  const bare = name.endsWith('/') ? name.slice(0, -1) : name
  if (!needsCare.test(bare)) return bare
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..'))
    throw new BuilderError('UNSAFE', {
      operation,
      object: readable(name),
      reason: 'its name leaves the root through ..',
    })
  if (name.includes('\0'))
    throw new BuilderError('INVALID', { operation, object: readable(name), reason: 'its name holds a NUL byte' })
  return parts.join('/')
}

/** An empty part, or one that begins with a dot: `.`, `..`, or a harmless one. */
const needsCare = /(^|\/)([.]{0,2})(\/|$)|\0/
const beyondAscii = /\P{ASCII}/u
