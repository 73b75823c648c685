import { rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { fetchFile, saveStream } from '../layer/fetch.js'
import { caller } from '../namespace/caller.js'
import { resolveInRoot } from '../namespace/rooted-path.js'
import { temporaryPath } from '../store/temporary.js'
import type { Context, ContextOptions } from './context.js'
import { readText } from './context-file.js'

/** A Containerfile. */
export interface FoundContainerfile {
  /** As the user would name it, for messages: a path, an address, `standard input`. */
  readonly name: string
  readonly text: string
  /** Where it is on this machine; absent for what came from elsewhere. */
  readonly path?: string
}

/**
 * Finds the Containerfile of a build. `file` is what `-f` says: a path (taken from here; from the context when nothing is there, and
 * always when the context is not a folder of this machine), an address, or `-` for standard input. Without it the context itself
 * is one, or has one: `Containerfile`, `Containerfile.in`, `Dockerfile`, `Dockerfile.in`, the first that is there.
 *
 * Throws `NOT_FOUND` with what was looked for, `INVALID` for what is no text, `USAGE`.
 */
export async function findContainerfile(
  context: Context,
  file: string | undefined,
  options: ContextOptions,
): Promise<FoundContainerfile> {
  const operation = options.operation ?? 'build'
  if (file === undefined) {
    if (context.containerfile !== undefined) return { name: context.name, text: context.containerfile }
    return inContext(context, operation)
  }
  if (file === '-') return fromInput(context, options)
  if (/^https?:\/\//.test(file)) return fromAddress(file, options)
  const path = await pathOf(context, file, operation)
  return { name: file, text: await readText(path, file, operation), path }
}

/** No link leads out of the context: what is not named is not read. */
async function inContext(context: Context, operation: string): Promise<FoundContainerfile> {
  for (const name of containerfileNames) {
    const path = resolveInRoot(context.path, name)
    if (!(await isFile(path))) continue
    const shown = context.isLocal ? relative('.', join(context.path, name)) : name
    return { name: shown, text: await readText(path, shown, operation), path }
  }
  const hint = 'name it with -f FILE'
  const reason = `it has no Containerfile: looked for ${listed(containerfileNames)}`
  throw new BuilderError('NOT_FOUND', { operation, object: context.name, reason, hint })
}

/** Looked for in this order. */
export const containerfileNames = ['Containerfile', 'Containerfile.in', 'Dockerfile', 'Dockerfile.in'] as const

async function pathOf(context: Context, file: string, operation: string): Promise<string> {
  const inside = resolveInRoot(context.path, file)
  const places = context.isLocal && context.containerfile === undefined ? [file, inside] : [inside]
  for (const path of places) {
    const found = await stat(path).catch(nothing)
    if (found?.isFile() || found?.isFIFO() || found?.isCharacterDevice()) return path
    if (found)
      throw new BuilderError('INVALID', { operation, object: file, reason: 'it is not a file', hint: 'name a file' })
  }
  const where = context.isLocal ? 'here and in the context' : 'in the context'
  const reason = `there is no such Containerfile: looked for it ${where}`
  throw new BuilderError('NOT_FOUND', { operation, object: file || '""', reason, hint: 'check its name' })
}

async function fromInput(context: Context, options: ContextOptions): Promise<FoundContainerfile> {
  const { operation = 'build', stdin, signal } = options
  const name = 'standard input'
  if (context.name === name) {
    const hint = 'leave -f - out, or name a folder'
    const reason = 'it cannot be the context and the Containerfile at once'
    throw new BuilderError('USAGE', { operation, object: name, reason, hint })
  }
  const stream = (stdin ?? (() => caller().stdin()))()
  return fetched(name, options, (file) =>
    saveStream(stream, file, { limit: downloadLimit, ...(signal ? { signal } : {}) }).catch((error) => {
      throw asBuilderError(error, operation, name)
    }),
  )
}

function fromAddress(url: string, options: ContextOptions): Promise<FoundContainerfile> {
  const { signal } = options
  const { origin, pathname } = URL.canParse(url) ? new URL(url) : { origin: url, pathname: '' }
  return fetched(`${origin}${pathname}`, options, (file) =>
    fetchFile(url, file, { limit: downloadLimit, ...(signal ? { signal } : {}) }),
  )
}

async function fetched(
  name: string,
  { store, operation = 'build' }: ContextOptions,
  fetch: (file: string) => Promise<unknown>,
): Promise<FoundContainerfile> {
  const file = temporaryPath(store)
  try {
    await fetch(file)
    const text = await readText(file, name, operation)
    if (text !== '') return { name, text }
    const reason = 'nothing came'
    throw new BuilderError('INVALID', { operation, object: name, reason, hint: 'give it a Containerfile' })
  } finally {
    await rm(file, { force: true })
  }
}

/** Bytes: one more than a text may have, so that the reader sees that it is too long. */
const downloadLimit = 17 * 1024 * 1024

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(nothing))?.isFile() ?? false
}

function nothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
