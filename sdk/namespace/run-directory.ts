import { statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { currentIdMap } from './idmap.js'
import { isRealRoot } from './inside.js'

/**
 * The folder for what lives only as long as the machine runs, without making it: `given` (--runroot), `BUILDER_RUNROOT`,
 * `/run/builder` for the machine's root, else `$XDG_RUNTIME_DIR/builder`, `/run/user/<uid>/builder`, `/tmp/builder-<uid>`,
 * whichever parent is there and this user's first: `XDG_RUNTIME_DIR` is somebody else's after su. The launcher bin/builder has the same rule, and a test compares the two.
 */
export function runDirectory(given?: string): string {
  const asked = given || process.env.BUILDER_RUNROOT
  if (asked) return resolve(asked)
  if (isRealRoot()) return '/run/builder'
  const runtime = process.env.XDG_RUNTIME_DIR
  if (runtime && isAbsolute(runtime) && isOwn(runtime)) return join(runtime, 'builder')
  const uid = uidOnHost()
  return isOwn(`/run/user/${uid}`) ? `/run/user/${uid}/builder` : `/tmp/builder-${uid}`
}

/** Whether a folder is there and belongs to this user. */
export function isOwn(folder: string): boolean {
  try {
    return statSync(folder).uid === process.geteuid?.()
  } catch {
    return false
  }
}

/** The user as the parent namespace sees it: inside a user namespace everybody is 0. */
export function uidOnHost(): number {
  const uid = process.geteuid?.() ?? 0
  const range = currentIdMap().uids.find(({ inside, size }) => uid >= inside && uid < inside + size)
  return range ? range.outside + uid - range.inside : uid
}
