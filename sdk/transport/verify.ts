import { createHash } from 'node:crypto'
import { BuilderError } from '../errors.js'
import type { Descriptor } from '../image/descriptor.js'
import { type Digest, digestOf } from '../image/digest.js'

/** A stream that is checked while it passes, and whether it has passed to its end. */
export interface Verified {
  readonly stream: AsyncIterable<Uint8Array>
  /** Throws `INVALID` unless the stream was read to its end, where the digest is compared. */
  assertWhole(): void
}

/**
 * Checks size and digest of a blob while it is read: the stream itself throws `DIGEST`, at the first byte too many or
 * at its end. Source: OCI image-spec, descriptor.md, "Verification".
 */
export function verify(stream: AsyncIterable<Uint8Array>, descriptor: Descriptor, name: string): Verified {
  let whole = false
  async function* checked(): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of stream) {
      size += chunk.length
      if (size > descriptor.size) throw wrongSize(descriptor, `more than ${descriptor.size}`, name)
      hash.update(chunk)
      yield chunk
    }
    if (size !== descriptor.size) throw wrongSize(descriptor, `${size}`, name)
    checkDigest(`sha256:${hash.digest('hex')}`, descriptor, name)
    whole = true
  }
  return {
    stream: checked(),
    assertWhole() {
      if (!whole) throw broken(name, `blob ${descriptor.digest} has something behind its end`)
    },
  }
}

/** Checks bytes that are all there. Throws `DIGEST`. */
export function verifyBytes(bytes: Uint8Array, descriptor: Descriptor, name: string): void {
  if (bytes.length !== descriptor.size) throw wrongSize(descriptor, `${bytes.length}`, name)
  checkDigest(digestOf(bytes), descriptor, name)
}

/** Bytes of a stream that is known to be small. Throws `INVALID` when it has more than `limit` bytes. */
export async function collect(stream: AsyncIterable<Uint8Array>, limit: number, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > limit) throw broken(name, `it has more than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** An image, an archive or a layout that breaks its specification. */
export function broken(name: string, reason: string, hint?: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read image', object: name, reason, ...(hint ? { hint } : {}) })
}

/** Something that was looked for and is not there. */
export function missing(name: string, reason: string, hint?: string): BuilderError {
  return new BuilderError('NOT_FOUND', { operation: 'read image', object: name, reason, ...(hint ? { hint } : {}) })
}

function checkDigest(found: Digest, { digest }: Descriptor, name: string): void {
  if (found !== digest) throw mismatch(name, `blob ${digest} has the digest ${found}`)
}

function wrongSize({ digest, size }: Descriptor, found: string, name: string): BuilderError {
  return mismatch(name, `blob ${digest} has ${found} bytes where its descriptor says ${size}`)
}

function mismatch(object: string, reason: string): BuilderError {
  const hint = 'it is truncated or was altered: get it again'
  return new BuilderError('DIGEST', { operation: 'copy image', object, reason, hint })
}
