import { mkdirSync } from 'node:fs'
import { asBuilderError } from '../errors.js'
import { MNT, MS, mount, umount } from '../namespace/libc.js'
import { isMountPoint } from '../namespace/mountinfo.js'

/**
 * Makes a private folder whose files are in memory and never on a disk: a tmpfs of this mount namespace. What a process
 * that is killed leaves is gone with the namespace, or with {@link dropMemoryFolder}. Throws `SYSTEM`.
 */
export function makeMemoryFolder(path: string): void {
  mkdirSync(path, { mode: 0o700 })
  try {
    mount('tmpfs', path, 'tmpfs', MS.NOSUID | MS.NODEV, 'mode=0700')
    mount('none', path, null, MS.PRIVATE, null)
  } catch (error) {
    throw asBuilderError(error, 'make a folder in memory', path)
  }
}

/** Forgets what is in such a folder; the folder itself stays, empty. Nothing to do where it is not mounted here. */
export function dropMemoryFolder(path: string): void {
  // At once, also when a process of a run that was killed still stands in it.
  if (isMountPoint(path)) umount(path, MNT.DETACH)
}
