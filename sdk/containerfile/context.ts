import { mkdir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { asBuilderError, BuilderError } from '../errors.js'
import { fetchFile, saveStream } from '../layer/fetch.js'
import { caller } from '../namespace/caller.js'
import type { Store } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import { isGitAddress, shownGit } from '../transport/git-address.js'
import { type ContextLimits, freeBytes, takeFile } from './context-file.js'

/** How a context is opened. */
export interface ContextOptions {
  /** What has to be fetched or unpacked lies in its `tmp` meanwhile. */
  readonly store: Store
  /** Standard input; the caller's when absent. */
  readonly stdin?: () => Readable
  /** The verb, for messages. Default `build`. */
  readonly operation?: string
  readonly limits?: ContextLimits
  /** For git over https. */
  readonly token?: string
  readonly signal?: AbortSignal
}

/** The files that a build may read. Disposing of it removes what was fetched or unpacked for it. */
export interface Context extends AsyncDisposable {
  /** What the user called it, without credentials. */
  readonly name: string
  /** The folder, absolute. Empty when the context is a Containerfile alone. */
  readonly path: string
  /** True for a folder of the user, which nobody may change; false for what came from elsewhere. */
  readonly isLocal: boolean
  /** The Containerfile's text, when that is all that was given. */
  readonly containerfile?: string
  /** The commit, of a git repository. */
  readonly commit?: string
}

/**
 * Opens a build context: a folder; an archive (tar; plain, gzip, bzip2, xz or zstd; told by its content); `-` for an archive or a
 * Containerfile on standard input; the address of a git repository (`#REF:FOLDER`), of an archive or of a Containerfile.
 *
 * An archive may unpack to 200 times its size, or to 256 MiB when that is more, and never to more than the disk has. Owners in
 * it do not count: COPY sets its own.
 *
 * Throws `NOT_FOUND`, `INVALID` for what is neither an archive nor a text, `UNSAFE` for an archive that is too large or
 * would write elsewhere, `SYSTEM`, `ABORTED`, and what `fetchGit` throws.
 */
export async function openContext(where: string, options: ContextOptions): Promise<Context> {
  if (where === '-') return received('standard input', options, (file) => saveInput(file, options))
  if (isGitAddress(where)) return fromGit(where, options)
  if (/^https?:\/\//.test(where))
    return received(shownAddress(where), options, (file) => download(where, file, options))
  const found = await stat(where).catch((error) => absent(error, where, options))
  if (found.isDirectory()) return { name: where, path: resolve(where), isLocal: true, async [Symbol.asyncDispose]() {} }
  if (!found.isFile()) throw fault(options, where, 'it is neither a folder nor an archive', 'name a folder')
  return received(where, options, async () => where)
}

/** What has to be unpacked, or is a Containerfile, lies in a folder of its own. */
async function received(
  name: string,
  options: ContextOptions,
  fetch: (file: string) => Promise<string>,
): Promise<Context> {
  const scratch = temporaryFolder(options.store)
  const remove = () => rm(scratch, { recursive: true, force: true })
  try {
    const file = await fetch(join(scratch, 'received'))
    const path = join(scratch, 'context')
    const isOwn = file.startsWith(scratch)
    const { limits, signal, operation = 'build' } = options
    const text = await takeFile(file, path, {
      name,
      operation,
      isNamed: !isOwn,
      ...(limits ? { limits } : {}),
      ...(signal ? { signal } : {}),
    })
    if (isOwn) await rm(file)
    if (text !== undefined) await mkdir(path)
    const containerfile = text === undefined ? {} : { containerfile: text }
    return { name, path, isLocal: false, ...containerfile, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function fromGit(where: string, options: ContextOptions): Promise<Context> {
  const { signal, token } = options
  const scratch = temporaryFolder(options.store)
  const remove = () => rm(scratch, { recursive: true, force: true })
  const path = join(scratch, 'context')
  try {
    const { fetchGit } = await import('../transport/git.js')
    const { commit } = await fetchGit(where, path, {
      allowsFiles: true,
      ...(token === undefined ? {} : { token }),
      ...(signal ? { signal } : {}),
    })
    return { name: shownGit(where), path, isLocal: false, commit, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function saveInput(file: string, { stdin, signal, store, limits, operation = 'build' }: ContextOptions) {
  const limit = limits?.download ?? (await freeBytes(store.root))
  const stream = (stdin ?? (() => caller().stdin()))()
  return saveStream(stream, file, { limit, ...(signal ? { signal } : {}) }).catch((error) => {
    const { code, reason, hint } = asBuilderError(error)
    const parts = { operation, object: 'standard input', reason, cause: error }
    throw new BuilderError(code, { ...parts, ...(hint === undefined ? {} : { hint }) })
  })
}

async function download(url: string, file: string, { signal, store, limits }: ContextOptions): Promise<string> {
  const limit = limits?.download ?? (await freeBytes(store.root))
  return (await fetchFile(url, file, { limit, ...(signal ? { signal } : {}) })).path
}

/** A password or a token in an address is nobody's business. */
function shownAddress(url: string): string {
  if (!URL.canParse(url)) return url
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

function absent(error: unknown, where: string, options: ContextOptions): never {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw asBuilderError(error, options.operation ?? 'build', where)
  const hint = 'name a folder, an archive, - for standard input, or the address of a git repository'
  throw new BuilderError('NOT_FOUND', {
    operation: options.operation ?? 'build',
    object: where || '""',
    reason: 'there is no such folder',
    hint,
  })
}

function fault({ operation = 'build' }: ContextOptions, object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('INVALID', { operation, object, reason, hint })
}
