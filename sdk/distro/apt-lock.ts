import type { AptPlan, DebFile } from './apt-resolve.js'
import { type LockedPackage, type LockRequest, readPackageLock, writePackageLock } from './package-lock.js'

/** The packages that a lock file names; undefined when there is none. Throws `INVALID` for the lock of another request. */
export function readAptLock(path: string, request: LockRequest): AptPlan | undefined {
  const lock = readPackageLock(path, 'apt', request)
  return lock && { files: lock.packages.map(fileOf), removed: [] }
}

/** Writes down what was installed. Throws `SYSTEM`. */
export function writeAptLock(path: string, request: LockRequest, files: readonly DebFile[]): void {
  writePackageLock(path, { manager: 'apt', request, packages: files.map(lockedOf) })
}

function fileOf({ name, version, arch, repository, location, checksum }: LockedPackage): DebFile {
  return {
    name,
    version,
    architecture: arch,
    location: `${repository}/${location}`,
    sha256: checksum.slice('sha256:'.length),
  }
}

/** Archives keep their packages in `pool/`; a flat repository beside its list. Source: Debian wiki, DebianRepository/Format. */
function lockedOf({ name, version, architecture, location, sha256 }: DebFile): LockedPackage {
  const pool = location.indexOf('/pool/')
  const at = pool < 0 ? location.lastIndexOf('/') : pool
  const repository = location.slice(0, at)
  return {
    name,
    version,
    arch: architecture,
    repository,
    location: location.slice(at + 1),
    checksum: `sha256:${sha256}`,
  }
}
