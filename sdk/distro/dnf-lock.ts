import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import type { DnfPackage } from './dnf-event.js'
import type { DnfProgram } from './dnf-program.js'
import type { DnfWork } from './dnf-work.js'
import { type LockRequest, type PackageLock, readPackageLock, writePackageLock } from './package-lock.js'

/**
 * The lock that a request is held to; undefined when none is asked for or the file is still to be written. Throws `USAGE` for
 * a request that brings no packages, `UNSUPPORTED` for a dnf that does not tell what it installs, `SYSTEM` where
 * none can be written, and as `readPackageLock`.
 */
export function readDnfLock({ kind }: DnfProgram, work: DnfWork): PackageLock | undefined {
  const { lock, request } = work
  if (lock === undefined) return undefined
  const refuse = (code: 'USAGE' | 'UNSUPPORTED', reason: string, hint: string) =>
    new BuilderError(code, { operation: 'dnf --lock', object: lock, reason, hint })
  if (!request.brings)
    throw refuse(
      'USAGE',
      `${request.command.join(' ')} brings no packages`,
      'a lock is for install, upgrade and the like',
    )
  if (kind !== 'dnf4') throw refuse('UNSUPPORTED', `${kind} does not tell what it installs`, 'install dnf 4 beside it')
  return readPackageLock(lock, 'dnf', requestOf(work)) ?? writable(lock)
}

/** Before anything is installed: afterwards it is too late to refuse. */
function writable(lock: string): undefined {
  try {
    accessSync(dirname(lock), constants.W_OK)
  } catch (error) {
    throw asBuilderError(error, 'write lock file', lock)
  }
}

/** Writes the lock of what was installed. Throws `SYSTEM`. */
export function writeDnfLock(
  path: string,
  work: DnfWork,
  installed: readonly (DnfPackage & { checksum: string })[],
): void {
  const packages = installed.map(({ name, epoch, version, release, arch, repository, location, checksum }) => ({
    ...{ name, epoch, version, release, arch, repository, location, checksum },
  }))
  writePackageLock(path, { manager: 'dnf', request: requestOf(work), packages })
}

/** What decides the set of packages. */
function requestOf({ request, releasever, forcearch, weakDeps, exclude, enableModules }: DnfWork): LockRequest {
  const { command, words } = request
  return { command: command.join(' '), packages: words, releasever, forcearch, weakDeps, exclude, enableModules }
}
