import { chmod, mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { asBuilderError, BuilderError } from '../../errors.js'
import { isOwn, runDirectory } from '../../namespace/run-directory.js'
import { withLock } from '../../store/locks.js'
import { type AuthFile, readAuthFile } from './auth-file.js'

/** How a change is made. */
export interface ChangeOptions {
  readonly runroot?: string
  readonly signal?: AbortSignal
}

/**
 * Changes a file with logins in one step, under a lock, so that two logins at the same time are both kept. `change` gives
 * the whole new document, or undefined to leave the file as it is. The file is the user's alone (0600) from its first byte;
 * a symbolic link stays, and what it points to changes. Throws `SYSTEM`, `INVALID`, and what `change` throws.
 */
export async function changeAuthFile(
  path: string,
  change: (file: AuthFile) => Promise<Readonly<Record<string, unknown>> | undefined>,
  { runroot, signal }: ChangeOptions = {},
): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const locks = await lockFolder(runroot)
  const purpose = 'change logins'
  await withLock(
    locks,
    target,
    async () => {
      const file = (await readAuthFile(target)) ?? { path: target, auths: {}, credHelpers: {}, document: {} }
      const document = await change(file)
      if (document) await replace(target, `${JSON.stringify(document, null, '\t')}\n`)
    },
    { purpose, ...(signal ? { signal } : {}) },
  )
}

/** Locks are this user's and this machine's, not a store's: all stores share the logins. */
async function lockFolder(runroot: string | undefined): Promise<{ readonly root: string }> {
  const run = runDirectory(runroot)
  const root = join(run, 'logins')
  for (const name of ['locks', 'tmp']) await mkdir(join(root, name), { recursive: true, mode: 0o700 })
  if (isOwn(run)) return { root }
  throw new BuilderError('SYSTEM', {
    operation: 'log in',
    object: run,
    reason: 'it belongs to another user',
    hint: 'choose another folder with --runroot',
  })
}

/** One name for what is unfinished: what a killed login left there, the next one takes away. */
async function replace(path: string, text: string): Promise<void> {
  const folder = dirname(path)
  const unfinished = join(folder, `.${basename(path)}.builder-new`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await rm(unfinished, { force: true })
    const handle = await open(unfinished, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(unfinished, 0o600)
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {})
    throw asBuilderError(error, 'write logins', path)
  }
}
