import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { resolveInRoot } from '../namespace/rooted-path.js'

/** Who a process is, in the container's own numbers. */
export interface ContainerUser {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups: those of `/etc/group` that list the user, when no group was asked for. */
  readonly groups: readonly number[]
  /** From `/etc/passwd`; `/` when the user is not in it. */
  readonly home: string
}

/**
 * Looks a user up in the container's own `/etc/passwd` and `/etc/group`.
 *
 * The text is `name[:group]` or `uid[:gid]`, empty for root (OCI image-spec config.md, `User`). A name in the files
 * wins over a number; a number need not be in them, and then has group 0 and the home `/`. Links in the container
 * are never followed out of it.
 *
 * Throws `NOT_FOUND` when a name is not in the files, `USAGE` when an ID is too large.
 */
export function resolveUser(rootfs: string, text: string | undefined): ContainerUser {
  const { user, group } = split(text ?? '')
  const entry = passwdEntry(rootfs, user)
  const uid = entry?.uid ?? numberOf(user, text)
  if (uid === undefined) throw unknown('user', user, '/etc/passwd')
  const groups = group !== undefined || entry ? readTable(rootfs, '/etc/group') : []
  const gid = group === undefined ? (entry?.gid ?? 0) : groupID(groups, group, text)
  const listed = group === undefined && entry ? groupsListing(groups, entry.name) : []
  return { uid, gid, groups: [...new Set(listed)], home: entry?.home || '/' }
}

function split(text: string): { user: string; group?: string } {
  const colon = text.indexOf(':')
  const user = (colon < 0 ? text : text.slice(0, colon)) || '0'
  return colon < 0 || colon === text.length - 1 ? { user } : { user, group: text.slice(colon + 1) }
}

/** An entry of passwd(5): name, password, UID, GID, comment, home, shell. */
function passwdEntry(rootfs: string, user: string) {
  const table = readTable(rootfs, '/etc/passwd').filter((row) => isID(row[2]) && isID(row[3]))
  const row = table.find(([name]) => name === user) ?? table.find(([, , uid]) => uid === user)
  if (!row) return undefined
  return { name: row[0] as string, uid: Number(row[2]), gid: Number(row[3]), home: row[5] }
}

/** An entry of group(5): name, password, GID, members. */
function groupID(table: readonly string[][], group: string, text: string | undefined): number {
  const row = table.find(([name]) => name === group)
  const gid = isID(row?.[2]) ? Number(row?.[2]) : numberOf(group, text)
  if (gid === undefined) throw unknown('group', group, '/etc/group')
  return gid
}

function groupsListing(table: readonly string[][], name: string): number[] {
  return table.filter((row) => isID(row[2]) && row[3]?.split(',').includes(name)).map((row) => Number(row[2]))
}

/** The rows of a colon-separated file; none when it is missing or not a regular file of a sane size. */
function readTable(rootfs: string, path: string): string[][] {
  const text = readSmallFile(resolveInRoot(rootfs, path))
  return text
    .split('\n')
    .filter((line) => line.includes(':') && !line.startsWith('#'))
    .map((line) => line.split(':').map((field) => field.trim()))
}

/** Never blocks: a container may put a fifo or a device where a file is expected. */
function readSmallFile(path: string): string {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return ''
  }
  try {
    const stat = fstatSync(file)
    return stat.isFile() && stat.size <= 8 * 1024 * 1024 ? readFileSync(file, 'utf8') : ''
  } finally {
    closeSync(file)
  }
}

function numberOf(word: string, text: string | undefined): number | undefined {
  if (!/^\d+$/.test(word)) return undefined
  if (isID(word)) return Number(word)
  throw new BuilderError('USAGE', {
    operation: 'find user',
    object: JSON.stringify(text),
    reason: `${word} is larger than the largest ID, 4294967294`,
  })
}

function isID(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 0xffffffff
}

function unknown(what: string, name: string, file: string): BuilderError {
  return new BuilderError('NOT_FOUND', {
    operation: `find ${what}`,
    object: JSON.stringify(name),
    reason: `it is not in ${file} of the container`,
    hint: `create it in the container first, or give its number`,
  })
}
