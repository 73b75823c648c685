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

/** The ranges that /etc/subuid and /etc/subgid give a user, by name or number. Source: subuid(5). */
export function subordinateIds(user: { readonly name: string; readonly uid: number }): IdMap {
  return { uids: readRanges('/etc/subuid', user), gids: readRanges('/etc/subgid', user) }
}

/** The message for an owner that the namespace has no id for. */
export function idError(operation: string, path: string, uid: number, gid: number): BuilderError {
  const badUid = !isMapped('uid', uid)
  const { uids, gids } = currentIdMap()
  const count = (badUid ? uids : gids).reduce((sum, { size }) => sum + size, 0)
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

function readRanges(path: string, { name, uid }: { readonly name: string; readonly uid: number }): IdRange[] {
  let next = 1
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    const [who, start, count] = line.trim().split(':')
    if ((who !== name && who !== `${uid}`) || !/^\d+$/.test(start ?? '') || !/^[1-9]\d*$/.test(count ?? '')) return []
    const range = { inside: next, outside: Number(start), size: Number(count) }
    next += range.size
    return [range]
  })
}
