import { readFileSync } from 'node:fs'

/** True in a user namespace: root here is not the machine's. */
export function inUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'latin1'))
}

/** True when the user ID exists in this user namespace. */
export function isUserMapped(uid: number): boolean {
  return isIn('/proc/self/uid_map', uid)
}

/** True when the group ID exists in this user namespace. */
export function isGroupMapped(gid: number): boolean {
  return isIn('/proc/self/gid_map', gid)
}

/** True where a user namespace with a single-ID map forbids setgroups(2). Source: user_namespaces(7). */
export function setgroupsDenied(): boolean {
  return readFileSync('/proc/self/setgroups', 'latin1').trim() === 'deny'
}

function isIn(map: string, id: number): boolean {
  return readFileSync(map, 'latin1')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([inside = 0, , size = 0]) => id >= inside && id < inside + size)
}
