import { readFileSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { readable } from './names.js'

/** Throws `ID_MAP` when a file of a layer belongs to a user or group that this user namespace cannot express. */
export function checkOwner(name: string, uid: number, gid: number): void {
  map ??= { uid: readMap('uid'), gid: readMap('gid') }
  if (!map.uid.some(holds(uid))) throw outside('uid', uid, name, map.uid)
  if (!map.gid.some(holds(gid))) throw outside('gid', gid, name, map.gid)
}

/** First id inside and how many, user_namespaces(7). */
type Ranges = readonly (readonly [first: number, size: number])[]

function readMap(kind: 'uid' | 'gid'): Ranges {
  const lines = readFileSync(`/proc/self/${kind}_map`, 'latin1').trim().split('\n')
  return lines.map((line) => {
    const [first = 0, , size = 0] = line.trim().split(/\s+/).map(Number)
    return [first, size]
  })
}

function holds(id: number) {
  return ([first, size]: Ranges[number]) => id >= first && id < first + size
}

function outside(kind: 'uid' | 'gid', id: number, name: string, ranges: Ranges): BuilderError {
  const ids = ranges.reduce((sum, [, size]) => sum + size, 0)
  return new BuilderError('ID_MAP', {
    operation: 'unpack layer',
    object: readable(`/${name}`),
    reason: `its ${kind} ${id} is outside the id map of this user (${ids} ${ids === 1 ? 'id' : 'ids'})`,
    hint:
      ids === 1
        ? 'install newuidmap (package uidmap or shadow-utils) and give the user a range in /etc/subuid and /etc/subgid'
        : `add a larger range to /etc/sub${kind}`,
  })
}

let map: { readonly uid: Ranges; readonly gid: Ranges } | undefined
