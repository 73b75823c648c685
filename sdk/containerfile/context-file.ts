import { createReadStream } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BuilderError } from '../errors.js'
import { isArchive, unpackArchive } from '../layer/archive.js'

/** Bounds of what comes from elsewhere. */
export interface ContextLimits {
  /** Most bytes that are fetched, or read from standard input. Default: what the disk has. */
  readonly download?: number
  /** Most bytes that an archive may unpack to. Default: 200 times its own, at least 256 MiB. */
  readonly unpacked?: number
  /** Most entries of an archive. Default: 4 million. */
  readonly entries?: number
}

/** What a file is called, and how it is taken. */
export interface Taking {
  readonly name: string
  readonly operation: string
  /** True for a file that the user named: it must be an archive then. */
  readonly isNamed?: boolean
  readonly limits?: ContextLimits
  readonly signal?: AbortSignal
}

/**
 * Unpacks an archive into a new folder, or gives the text of a file that is one: a Containerfile. Throws `INVALID` for a file that
 * is neither, `UNSAFE` for an archive that would write elsewhere or is too large, `ABORTED`, `SYSTEM`.
 */
export async function takeFile(file: string, folder: string, taking: Taking): Promise<string | undefined> {
  const { name, operation, isNamed = false } = taking
  const { size } = await stat(file)
  if (await isArchive(file)) return unpack(file, size, folder, taking)
  if (isNamed) throw invalid(operation, name, 'it is not an archive', `write -f ${name} and the folder of its files`)
  if (size === 0) throw invalid(operation, name, 'nothing came', 'give it a Containerfile or a tar archive')
  return readText(file, name, operation)
}

/** The text of a Containerfile. Throws `INVALID` for one that is too large or no UTF-8. */
export async function readText(file: string, name: string, operation: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // A pipe or a device has no size before it is read.
  for await (const chunk of createReadStream(file)) {
    size += chunk.length
    if (size > textLimit)
      throw invalid(operation, name, `it has more bytes than a Containerfile may have (${textLimit})`)
    chunks.push(chunk)
  }
  return decodeText(Buffer.concat(chunks), name, operation)
}

/** The text that bytes are. Throws `INVALID`. */
export function decodeText(bytes: Uint8Array, name: string, operation: string): string {
  const hint = 'give it a Containerfile, or a tar archive (plain, gzip, bzip2, xz or zstd)'
  if (bytes.includes(0)) throw invalid(operation, name, 'it is neither an archive nor a Containerfile', hint)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalid(operation, name, 'it is not UTF-8 text', 'save it as UTF-8')
  }
}

/** Bytes that the disk of a folder has for this user. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

async function unpack(file: string, size: number, folder: string, taking: Taking): Promise<undefined> {
  const { name, operation, limits, signal } = taking
  const most = limits?.unpacked ?? Math.max(leastLimit, size * mostTimes)
  const bytes = Math.min(most, await freeBytes(dirname(folder)))
  const bounds = { size: bytes, entries: limits?.entries ?? mostEntries }
  try {
    // Its owners may be outside the id map, and COPY sets its own.
    const owner = { uid: 0, gid: 0 }
    await unpackArchive(file, folder, { shown: name, limits: bounds, owner, ...(signal ? { signal } : {}) })
  } catch (error) {
    if (!(error instanceof BuilderError) || !/more than \d+ (?:bytes|entries)$/.test(error.reason)) throw error
    const reason = error.reason.replace('it has', 'it would unpack to')
    const hint = 'unpack it yourself and give the folder, if that is right'
    throw new BuilderError('UNSAFE', { operation, object: name, reason, hint })
  }
}

const textLimit = 16 * 1024 * 1024
const leastLimit = 256 * 1024 * 1024
const mostTimes = 200
const mostEntries = 4_000_000

function invalid(operation: string, object: string, reason: string, hint?: string): BuilderError {
  return new BuilderError('INVALID', { operation, object, reason, ...(hint === undefined ? {} : { hint }) })
}
