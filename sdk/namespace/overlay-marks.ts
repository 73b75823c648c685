import { existsSync, lstatSync } from 'node:fs'
import { isInUserNamespace } from './inside.js'
import { getXattr, listXattrs, mknod, removeXattr, setXattr } from './libc.js'

/**
 * The marks of overlayfs: what a layer says of those below it. Source: Documentation/filesystems/overlayfs.rst,
 * "whiteouts and opaque directories".
 */
export function isWhiteout(path: Buffer): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isCharacterDevice() === true && found.rdev === 0
}

/** Makes the device 0:0 that says "gone". Works in a user namespace since Linux 5.8. */
export function markGone(path: Buffer): void {
  mknod(path, 0o020000, 0, 0)
}

/** Whether a folder hides those below it: by an attribute, or by the file of fuse-overlayfs. */
export function isOpaque(folder: Buffer): boolean {
  const names = listXattrs(folder)
  return names.some((name) => name.endsWith('.opaque') && isMark(name)) || existsSync(childOf(folder, marker))
}

const marker = Buffer.from('.wh..wh..opq')

export function markOpaque(folder: Buffer): void {
  setXattr(folder, isInUserNamespace() ? 'user.overlay.opaque' : 'trusted.overlay.opaque', Buffer.from('y'))
}

/** Takes away whatever overlays noted in a folder's attributes. */
export function dropMarks(folder: Buffer): void {
  for (const name of listXattrs(folder)) if (isMark(name)) removeXattr(folder, name)
}

/** Extended attributes that belong to the file, in an order and form that can be compared. */
export function attributes(path: Buffer): string {
  const names = listXattrs(path).filter((name) => !isMark(name))
  return names.map((name) => `${name}=${getXattr(path, name)?.toString('hex')}`).join('\n')
}

/** The path of a folder's entry; names are bytes. */
export function childOf(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, slash, name])
}

const slash = Buffer.from('/')

/** Whether an extended attribute is an overlay's note on where it lies, and not the file's own. */
export function isMark(name: string): boolean {
  return /^(?:user|trusted)\.overlay\.|^user\.fuseoverlayfs\./.test(name)
}
