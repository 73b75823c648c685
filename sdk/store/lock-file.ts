import { lstatSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isGone, type Owner, self } from './owner.js'
import { randomHex } from './random.js'
import { type StoreRoot, temporaryPath } from './temporary.js'

/** What a lock file says. */
export interface LockOwner extends Owner {
  /** Different for every lock ever taken. */
  readonly token: string
  /** What the lock is held for, in the user's words. */
  readonly purpose: string
}

/** A new claim of this process. */
export function newClaim(purpose: string): LockOwner {
  return { ...self(), token: randomHex(4), purpose: purpose.replace(/\p{Cc}/gu, ' ').slice(0, 200) }
}

/** Taken, or who holds it now; neither when it changed hands at this very moment. */
export interface Attempt {
  readonly taken: boolean
  readonly holder?: LockOwner
}

/**
 * Tries once to take a lock file, and breaks it when its owner is gone.
 *
 * A lock file is a symbolic link whose target is its owner, for symlink(2) makes name and content in one step, fails
 * when the name is there, and needs no disk block when it is short, so that a full disk can still be cleaned up. Breaking is itself done under a lock named after the dead owner's token: only who
 * holds that one may replace the dead lock, so that two breakers cannot take away each other's fresh lock.
 */
export function takeLockFile(store: StoreRoot, path: string, mine: LockOwner): Attempt {
  // Looking first, for a waiter fails often and a thrown error costs more than all the rest.
  if (!lstatSync(path, { throwIfNoEntry: false }) && linkTo(mine, path)) return { taken: true }
  const holder = readLockFile(path)
  if (!holder) return { taken: false }
  if (!isLost(holder)) return { taken: false, holder }
  const breaking = join(store.root, 'locks', `break-${holder.token}`)
  const attempt = takeLockFile(store, breaking, newClaim('break a lock'))
  if (!attempt.taken) return attempt
  try {
    if (readLockFile(path)?.token !== holder.token) return { taken: false }
    const unfinished = temporaryPath(store)
    linkTo(mine, unfinished)
    renameSync(unfinished, path)
    return { taken: true }
  } finally {
    dropLockFile(breaking)
  }
}

/** Whether the owner is gone; one that lived a moment ago is not asked again. */
function isLost(holder: LockOwner): boolean {
  const now = performance.now()
  if (lately.token === holder.token && now - lately.at < 50) return false
  if (isGone(holder)) return true
  lately = { token: holder.token, at: now }
  return false
}

let lately = { token: '', at: 0 }

/** Who holds a lock file; undefined when nobody does. A target that makes no sense is an owner of no boot. */
export function readLockFile(path: string): LockOwner | undefined {
  let text: string
  try {
    text = readlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const [pid = '', startTime = '', pidNamespace = '', boot = '', token = '', ...purpose] = text.split(' ')
  const name = /^[0-9a-f]{8}$/.test(token) ? token : 'damaged'
  return { pid: Number(pid), startTime, pidNamespace, boot, token: name, purpose: purpose.join(' ') }
}

/** Gives a lock file back. Only its owner may. */
export function dropLockFile(path: string): void {
  rmSync(path, { force: true })
}

function linkTo(owner: LockOwner, path: string): boolean {
  const { pid, startTime, pidNamespace, boot, token, purpose } = owner
  try {
    symlinkSync([pid, startTime, pidNamespace, boot, token, purpose].join(' '), path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (purpose !== '' && (code === 'ENOSPC' || code === 'EDQUOT')) return linkTo({ ...owner, purpose: '' }, path)
    throw error
  }
}
