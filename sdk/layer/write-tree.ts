import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { makeFolder } from './make-folder.js'
import { Transplant } from './transplant.js'

/** How a tree is written. */
export interface WriteTreeOptions {
  readonly signal?: AbortSignal
  /** Gets the path of a device that is left out. */
  readonly onSkip?: (path: string) => void
}

/**
 * Writes the files of a root into a folder of the user, which is made when it is not there and may hold files already. All of it
 * belongs to whoever writes, without set-user-ID and set-group-ID bits; modes, times and links are kept, devices are left out. No
 * link in the folder leads out of it. Throws `INVALID` where a file is in a folder's way, `UNSAFE`, `SYSTEM`, `ABORTED`.
 */
export async function writeTree(root: string, folder: string, options: WriteTreeOptions = {}): Promise<void> {
  const { signal, onSkip } = options
  const target = resolve(folder)
  await makeFolder(target).catch((error) => {
    if (error.code !== 'EEXIST' && error.code !== 'ENOTDIR') throw asBuilderError(error, 'write output', folder)
    throw new BuilderError('EXISTS', {
      operation: 'write output',
      object: folder,
      reason: 'a file of that name is there',
      hint: 'name another folder',
      cause: error,
    })
  })
  const ignores = (path: string) => {
    if (!isDevice(`${root}/${path}`)) return false
    onSkip?.(`/${path}`)
    return true
  }
  const transplant = new Transplant(target, {
    owner: { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 },
    mode: (own, isDirectory) => (isDirectory ? own : own & ~0o6000),
    ignores,
    ...(signal ? { signal } : {}),
  })
  try {
    await transplant.contents(root, '/')
    transplant.finish()
  } catch (error) {
    throw asBuilderError(error, 'write output', folder)
  }
}

function isDevice(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && (found.isCharacterDevice() || found.isBlockDevice())
}
