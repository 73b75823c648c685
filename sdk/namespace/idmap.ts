import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { BuilderError } from '../errors.js'

/** A run of ids: `inside` … stands for `outside` … of the parent namespace. Source: user_namespaces(7). */
export interface IdRange {
  readonly inside: number
  readonly outside: number
  readonly size: number
}

export interface IdMap {
  readonly uids: readonly IdRange[]
  readonly gids: readonly IdRange[]
}

/** The map of this process; it never changes while the process lives inside it. */
export function currentIdMap(): IdMap {
  known ??= { uids: readMap('/proc/self/uid_map'), gids: readMap('/proc/self/gid_map') }
  return known
}

let known: IdMap | undefined

export function isMapped(kind: 'uid' | 'gid', id: number): boolean {
  const ranges = currentIdMap()[`${kind}s`]
  return ranges.some(({ inside, size }) => id >= inside && id < inside + size)
}

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * The ranges that /etc/subuid and /etc/subgid give a user, by name or number, to be mapped from 1 on. The kernel refuses
 * a map that has an id twice, so what overlaps another range or the user's own id is left out. Source: subuid(5).
 */
export function subordinateIds(user: User): IdMap {
  return {
    uids: rangesOf(user, readText('/etc/subuid'), user.uid),
    gids: rangesOf(user, readText('/etc/subgid'), user.gid),
  }
}

/** The same of a file's text; `own` is the id that becomes 0. */
export function rangesOf({ name, uid }: User, text: string, own: number): IdRange[] {
  const taken: IdRange[] = [{ inside: 0, outside: own, size: 1 }]
  let next = 1
  for (const line of text.split('\n')) {
    const [who, start, count] = line.trim().split(':')
    if ((who !== name && who !== `${uid}`) || !/^\d+$/.test(start ?? '') || !/^[1-9]\d*$/.test(count ?? '')) continue
    const range = { inside: next, outside: Number(start), size: Number(count) }
    if (taken.some((other) => overlap(range, other))) continue
    taken.push(range)
    next += range.size
  }
  return taken.slice(1)
}

function overlap(a: IdRange, b: IdRange): boolean {
  return a.outside < b.outside + b.size && b.outside < a.outside + a.size
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The message for an owner that the namespace has no id for. */
export function idError(operation: string, path: string, uid: number, gid: number): BuilderError {
  const badUid = !isMapped('uid', uid)
  const ranges = currentIdMap()[badUid ? 'uids' : 'gids']
  // As /etc/subuid counts them: the first range is the user's own id.
  const count = ranges.slice(ranges.length > 1 ? 1 : 0).reduce((sum, { size }) => sum + size, 0)
  const [what, file] = badUid ? [`uid ${uid}`, '/etc/subuid'] : [`gid ${gid}`, '/etc/subgid']
  return new BuilderError('ID_MAP', {
    operation,
    object: path,
    reason: `${what} of ${path} is outside the id map of user ${userName()} (${count} ids)`,
    hint: `add a larger range to ${file}`,
  })
}

function userName(): string {
  return process.env.BUILDER_USER ?? process.env.USER ?? userInfo().username
}

function readMap(path: string): IdRange[] {
  const rows = readFileSync(path, 'latin1').trim().split('\n')
  return rows.map((row) => {
    const [inside = 0, outside = 0, size = 0] = row.trim().split(/\s+/).map(Number)
    return { inside, outside, size }
  })
}
