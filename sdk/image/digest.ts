import { createHash } from 'node:crypto'
import { BuilderError } from '../errors.js'

/**
 * `sha256:` and 64 lower-case hexadecimal digits.
 * Source: OCI image-spec, descriptor.md, "Digests". Other algorithms are refused.
 */
export type Digest = `sha256:${string}`

/** The digest of some bytes or of a string's UTF-8. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Checks the form of a digest that came from outside. Throws `INVALID`. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new BuilderError('INVALID', {
    operation: 'read digest',
    object: JSON.stringify(text),
    reason: 'it is not sha256: followed by 64 lower-case hexadecimal digits',
  })
}

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && /^sha256:[a-f0-9]{64}$/.test(text)
}

/** The 64 hexadecimal digits alone: a blob's file name, an image's ID. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length)
}
