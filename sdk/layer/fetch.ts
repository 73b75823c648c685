import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, utimes } from 'node:fs/promises'
import { addAbortSignal, type Readable } from 'node:stream'
import { BuilderError } from '../errors.js'
import type { Digest } from '../image/digest.js'

/** How a file is fetched. */
export interface FetchOptions {
  /** The digest that its bytes must have. */
  readonly checksum?: Digest
  /** Most bytes that are taken. */
  readonly limit?: number
  readonly signal?: AbortSignal
}

/**
 * Fetches a URL into a file of mode 0600 with the server's modification time (Dockerfile reference, ADD).
 * Throws `USAGE` for what is no address, `NOT_FOUND` when the server has it not, `DENIED` when it wants a login, `NETWORK` when it cannot be reached, `DIGEST` for other bytes.
 */
export async function fetchFile(
  url: string,
  file: string,
  options: FetchOptions,
): Promise<{
  path: string
  /** From the address; empty when that has none. */
  name: string
}> {
  if (!URL.canParse(url)) throw noAddress(url)
  const response = await reach(url, options.signal)
  if (!response.ok || !response.body) {
    await response.body?.cancel()
    const reason = `the server answered ${response.status} ${response.statusText}`
    const isDenied = response.status === 401 || response.status === 403
    const hint = isDenied ? 'give it a login, as https://USER:PASSWORD@HOST/…' : 'check the address'
    const code = isDenied ? 'DENIED' : 'NOT_FOUND'
    throw new BuilderError(code, { operation: 'fetch', object: shown(url), reason, hint })
  }
  const digest = await saveBody(response.body, file, { ...options, shown: shown(url) })
  if (options.checksum !== undefined && digest !== options.checksum)
    throw mismatch(shown(url), options.checksum, digest)
  const modified = Date.parse(response.headers.get('last-modified') ?? '')
  const time = Number.isNaN(modified) ? 0 : modified / 1000
  await utimes(file, time, time)
  return { path: file, name: nameOf(url) }
}

/** The last name of an address's path, decoded; empty where it has none that a file can have. */
function nameOf(url: string): string {
  const { pathname } = new URL(url)
  let path = pathname
  try {
    path = decodeURIComponent(pathname)
  } catch {
    // Then it stays as it is written.
  }
  const name = path.slice(path.lastIndexOf('/') + 1)
  return name === '.' || name === '..' || name.includes('\0') ? '' : name
}

/**
 * Writes a stream to a file of mode 0600 and gives the file's path; the stream is closed then. The signal ends it also
 * while nothing comes. Throws the signal's reason, what the stream fails with, and errors of the file.
 */
export async function saveStream(stream: Readable, file: string, options: FetchOptions): Promise<string> {
  const { signal } = options
  // It may fail, or be stopped, before it is read: an error that nobody listens for would end the process.
  stream.on('error', () => {})
  try {
    signal?.throwIfAborted()
    await save(signal ? addAbortSignal(signal, stream) : stream, file, options)
  } finally {
    stream.destroy()
  }
  return file
}

/** Compares a file's bytes with a digest. Throws `DIGEST`. */
export async function checkFile(file: string, expected: Digest, object: string): Promise<void> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  const digest: Digest = `sha256:${hash.digest('hex')}`
  if (digest !== expected) throw mismatch(object, expected, digest)
}

async function reach(url: string, signal: AbortSignal | undefined): Promise<Response> {
  const address = new URL(url)
  const { username, password } = address
  const login = Buffer.from([username, password].map(decodeURIComponent).join(':')).toString('base64')
  // fetch takes no address with a password, and says it in its message.
  address.username = ''
  address.password = ''
  const headers: Record<string, string> = username === '' ? {} : { authorization: `Basic ${login}` }
  try {
    return await fetch(address, { redirect: 'follow', headers, ...(signal ? { signal } : {}) })
  } catch (cause) {
    signal?.throwIfAborted()
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
    const hint = 'check the address and the network'
    throw new BuilderError('NETWORK', { operation: 'fetch', object: shown(url), reason: inner, hint, cause })
  }
}

async function saveBody(
  body: AsyncIterable<Uint8Array>,
  file: string,
  options: FetchOptions & { readonly shown: string },
): Promise<Digest> {
  try {
    return await save(body, file, options)
  } catch (cause) {
    options.signal?.throwIfAborted()
    if (cause instanceof BuilderError) throw new BuilderError(cause.code, { ...partsOf(cause), object: options.shown })
    if ((cause as NodeJS.ErrnoException).syscall !== undefined) throw cause
    const hint = 'try again'
    const reason = 'the connection broke before everything was there'
    throw new BuilderError('NETWORK', { operation: 'fetch', object: options.shown, reason, hint, cause })
  }
}

function partsOf({ operation, reason, hint }: BuilderError) {
  return { operation, reason, ...(hint === undefined ? {} : { hint }) }
}

async function save(
  stream: AsyncIterable<Uint8Array>,
  path: string,
  { signal, limit = Number.POSITIVE_INFINITY }: FetchOptions,
): Promise<Digest> {
  const hash = createHash('sha256')
  let size = 0
  const file: FileHandle = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of stream) {
      signal?.throwIfAborted()
      size += chunk.length
      if (size > limit) throw tooLong(limit)
      hash.update(chunk)
      await file.writeFile(chunk)
    }
  } finally {
    await file.close()
  }
  return `sha256:${hash.digest('hex')}`
}

/** A user's name and password in an address are nobody's business. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

function tooLong(limit: number): BuilderError {
  const hint = 'make it smaller, or give it as a folder'
  const reason = `it has more than ${limit} bytes`
  return new BuilderError('INVALID', { operation: 'fetch', object: '', reason, hint })
}

function noAddress(url: string): BuilderError {
  const hint = 'write https://host/path'
  return new BuilderError('USAGE', { operation: 'fetch', object: url, reason: 'it is not an address', hint })
}

function mismatch(object: string, expected: Digest, digest: Digest): BuilderError {
  const reason = `its digest is ${digest}, not ${expected}`
  return new BuilderError('DIGEST', {
    operation: 'add',
    object,
    reason,
    hint: 'check where it comes from, or the digest',
  })
}
