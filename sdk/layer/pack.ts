import { setImmediate } from 'node:timers/promises'
import { asBuilderError } from '../errors.js'
import type { Digest } from '../image/digest.js'
import { stopIfAborted } from './abort.js'
import { LayerHash, slotSize } from './layer-hash.js'
import { type TarOptions, tarChunks } from './tar.js'

export interface PackOptions extends TarOptions {
  readonly signal?: AbortSignal
  /** Gets how many bytes of the tar there are so far, at every piece. */
  readonly onBytes?: (bytes: number) => void
  /** Gets the bytes of the tar, in pieces that are its own to keep; the next one waits for what it returns. */
  readonly sink?: (chunk: Uint8Array) => void | Promise<void>
}

/** A directory as a layer. */
export interface Packed {
  /** Of the uncompressed tar. */
  readonly diffID: Digest
  /** Bytes of the uncompressed tar. */
  readonly size: number
  /** Members of the tar: files, directories, whiteouts, the root itself. */
  readonly entries: number
}

/**
 * Says what layer a directory is: one walk, one read of every file, one sha256. Writes nothing (but see
 * `clampInPlace`). The same tree gives the same bytes on every machine.
 *
 * Throws `INVALID` for a file whose name begins with `.wh.`, `UNSUPPORTED` for what a layer cannot carry, `IN_USE` for
 * a file that shrinks meanwhile, `ABORTED`, `SYSTEM`. Source: OCI image-spec, layer.md.
 */
export async function packLayer(directory: string, options: PackOptions = {}): Promise<Packed> {
  using hash = new LayerHash()
  const count = { entries: 0 }
  for await (const chunk of paced(directory, options, count, () => hash.slot())) {
    await options.sink?.(Buffer.from(chunk))
    await hash.add(chunk)
  }
  return { diffID: await hash.digest(), size: hash.size, entries: count.entries }
}

/**
 * The bytes that {@link packLayer} hashes, in pieces of at most 1 MiB that are the reader's to keep. Memory is bounded
 * by the pieces and the largest directory's names. Throws as packLayer does.
 */
export function layerStream(directory: string, options: Omit<PackOptions, 'sink'> = {}): AsyncIterable<Uint8Array> {
  return paced(directory, options, { entries: 0 }, () => Buffer.allocUnsafeSlow(slotSize))
}

/** The chunks of the tar, with a breath for the rest of the program every few milliseconds. */
async function* paced(directory: string, options: PackOptions, count: { entries: number }, supply: () => Buffer) {
  try {
    stopIfAborted(options.signal, 'pack layer', directory)
    let breath = performance.now()
    let bytes = 0
    for (const chunk of tarChunks(directory, options, count, supply)) {
      yield chunk
      bytes += chunk.length
      options.onBytes?.(bytes)
      if (performance.now() - breath < patience) continue
      await setImmediate()
      breath = performance.now()
      stopIfAborted(options.signal, 'pack layer', directory)
    }
  } catch (error) {
    throw asBuilderError(error, 'pack layer', directory)
  }
}

/** Milliseconds for which the event loop may be kept waiting. */
const patience = 20
