import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { type IgnoreRules, parseIgnore } from '../layer/ignore.js'
import { resolveInRoot } from '../namespace/rooted-path.js'

/** The ignore file of a build. */
export interface IgnoreFile {
  /** Where it is. */
  readonly path: string
  readonly rules: IgnoreRules
}

/**
 * Finds what a build leaves out of its context, the first that is there: `NAME.containerignore` and `NAME.dockerignore` beside
 * the Containerfile NAME, then `.containerignore` and `.dockerignore` on top of the context. Undefined when there is none.
 * A link on top of a context cannot lead out of it. Source: Docker build reference, "Filename and location"; buildah-build(1).
 *
 * Throws `INVALID` for a malformed pattern, with its line, and for what is no file; `SYSTEM` when it cannot be read.
 *
 * @param named - What `--ignorefile` says: then nothing else is looked for, and `NOT_FOUND` is thrown when it is not there.
 */
export async function findIgnoreFile(
  context: string,
  containerfile?: string,
  named?: string,
): Promise<IgnoreFile | undefined> {
  if (named !== undefined) return namedFile(named)
  const beside = containerfile === undefined ? [] : endings.map((end) => containerfile + end)
  for (const path of [...beside, ...endings.map((end) => join(context, end))]) {
    const inside = relative(resolve(context), resolve(path))
    const real = /^\.\.(?:\/|$)/.test(inside) ? path : resolveInRoot(resolve(context), inside)
    const text = await textOf(real)
    if (text !== undefined) return { path, rules: parseIgnore(text, path) }
  }
  return undefined
}

async function namedFile(path: string): Promise<IgnoreFile> {
  const text = await textOf(path)
  if (text !== undefined) return { path, rules: parseIgnore(text, path) }
  const reason = 'there is no such ignore file'
  throw new BuilderError('NOT_FOUND', { operation: 'build --ignorefile', object: path || '""', reason })
}

const endings = ['.containerignore', '.dockerignore']

/** Does not wait at a pipe, and does not read without end. */
async function textOf(path: string): Promise<string | undefined> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw asBuilderError(error, 'read', path)
  }
  try {
    const info = await file.stat()
    if (!info.isFile()) throw wrong(path, 'it is no file', 'remove it, or put a file in its place')
    if (info.size > largest)
      throw wrong(path, `it is larger than ${largest >> 20} MiB`, 'write fewer and wider patterns')
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

const largest = 1 << 24

function wrong(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read ignore file', object, reason, hint })
}
