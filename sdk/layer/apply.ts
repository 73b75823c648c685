import { setImmediate } from 'node:timers/promises'
import { asBuilderError, BuilderError } from '../errors.js'
import type { Digest } from '../image/digest.js'
import { untilAborted } from './abort.js'
import { Input } from './input.js'
import { LayerHash } from './layer-hash.js'
import { readable } from './names.js'
import { type LayerRoot, Placing } from './place.js'
import { type Content, type Member, readTar } from './read.js'

export interface ApplyOptions {
  readonly signal?: AbortSignal
  /** Most that a layer may have; without it, what the disk holds. */
  readonly limits?: { readonly size?: number; readonly entries?: number }
  /** Who everything belongs to, whatever the layer says. */
  readonly owner?: { readonly uid: number; readonly gid: number }
}

/** A layer that has been unpacked. */
export interface Applied {
  /** Of the whole stream, what follows the end of the archive included. */
  readonly diffID: Digest
  /** Bytes of the stream. */
  readonly size: number
  readonly entries: number
  /** Mode and owner that the layer gives to its root, when it has an entry for it. */
  readonly root?: LayerRoot
}

/**
 * Unpacks an uncompressed layer into an empty directory, as overlayfs reads a layer: what it removes becomes devices
 * 0:0 and opaque directories. No entry may leave the directory through its name, a link or an earlier entry. The
 * caller compares the digest before anyone sees the directory, and deletes it when this throws.
 *
 * Throws `UNSAFE` for an entry that would leave the directory, `INVALID` for a damaged or truncated tar, `ID_MAP` for
 * an owner outside the id map, `UNSUPPORTED` for a device in a user namespace, `SYSTEM`, `ABORTED`.
 * Source: OCI image-spec, layer.md.
 */
export async function applyLayer(
  tar: AsyncIterable<Uint8Array>,
  directory: string,
  options: ApplyOptions = {},
): Promise<Applied> {
  using hash = new LayerHash()
  const placing = new Placing(directory)
  const progress = { entries: 0, name: '' }
  const reader = readTar(new Input(), visitor(placing, progress, options))
  try {
    reader.next()
    let breath = performance.now()
    for await (const chunk of untilAborted(tar, options.signal, 'unpack layer', '')) {
      await hash.write(chunk)
      if (hash.size > (options.limits?.size ?? Number.POSITIVE_INFINITY)) throw tooMuch(`${options.limits?.size} bytes`)
      if (chunk.length > 0) reader.next(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      if (performance.now() - breath < patience) continue
      await setImmediate()
      breath = performance.now()
    }
    reader.next(undefined)
    placing.finish()
  } catch (error) {
    throw failure(error, progress.name)
  } finally {
    reader.return()
  }
  const { entries } = progress
  return { diffID: await hash.digest(), size: hash.size, entries, ...(placing.root ? { root: placing.root } : {}) }
}

function visitor(placing: Placing, progress: { entries: number; name: string }, { limits, owner }: ApplyOptions) {
  return (member: Member): Content | undefined => {
    progress.entries += 1
    progress.name = member.name
    if (progress.entries > (limits?.entries ?? Number.POSITIVE_INFINITY)) throw tooMuch(`${limits?.entries} entries`)
    return placing.place(owner ? { ...member, ...owner } : member)
  }
}

function tooMuch(limit: string): BuilderError {
  const reason = `it has more than ${limit}`
  return new BuilderError('INVALID', { operation: 'unpack layer', object: '', reason })
}

/** System errors name the file as the layer does, not the folder that it is unpacked into. */
function failure(error: unknown, name: string): BuilderError {
  const object = `/${readable(name).replace(/^[./]*/, '')}`
  const { code, path } = error as NodeJS.ErrnoException
  if (error instanceof BuilderError || path === undefined) return asBuilderError(error, 'unpack layer', object)
  if (code === 'ENAMETOOLONG')
    return new BuilderError('INVALID', {
      operation: 'unpack layer',
      object,
      reason: 'its name is too long',
      cause: error,
    })
  if (code === 'ENOTSUP' || code === 'EOPNOTSUPP')
    return new BuilderError('UNSUPPORTED', {
      operation: 'unpack layer',
      object,
      reason: 'the file system of the store cannot keep its extended attributes',
      hint: 'choose another store with --root',
      cause: error,
    })
  const { reason, hint } = asBuilderError(error)
  return new BuilderError('SYSTEM', {
    operation: 'unpack layer',
    object,
    reason,
    ...(hint ? { hint } : {}),
    cause: error,
  })
}

/** Milliseconds for which the event loop may be kept waiting. */
const patience = 20
