import { readdir, readFile } from 'node:fs/promises'
import { asBuilderError } from '../../errors.js'

/** The text of a configuration file; undefined when there is none. Throws `SYSTEM` when it cannot be read. */
export async function readIfThere(path: string, operation: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw asBuilderError(error, operation, path)
  }
}

/** Names in a folder, sorted by bytes; none when there is no such folder. Throws `SYSTEM`. */
export async function namesIn(folder: string, operation: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  } catch (error) {
    if (isMissing(error)) return []
    throw asBuilderError(error, operation, folder)
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}
