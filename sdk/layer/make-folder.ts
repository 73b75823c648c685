import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BuilderError } from '../errors.js'

/**
 * Makes a folder of the user and those above it; one that is there is fine. Throws `SYSTEM` where none can be made, and system errors.
 *
 * `mkdir` of Node 20 with `recursive` tries again without end where the kernel says ENOENT below a folder that is there, as
 * /proc does and a folder that was removed.
 */
export async function makeFolder(path: string): Promise<void> {
  const failure = await makeOne(path)
  if (failure?.code !== 'ENOENT') {
    if (failure) throw failure
    return
  }
  const above = dirname(path)
  if (above !== path) await makeFolder(above)
  const again = await makeOne(path)
  if (again?.code !== 'ENOENT') {
    if (again) throw again
    return
  }
  throw new BuilderError('SYSTEM', {
    operation: 'make folder',
    object: path,
    reason: 'no folder can be made there',
    hint: 'name another place',
    cause: again,
  })
}

async function makeOne(path: string): Promise<NodeJS.ErrnoException | undefined> {
  const failure = await mkdir(path).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  )
  if (failure?.code !== 'EEXIST') return failure
  const there = await stat(path).catch(() => undefined)
  return there?.isDirectory() ? undefined : failure
}
