/** What a folder holds, as lines that can be compared: type, mode, owner, time, content, attributes, hard links. */
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { getXattr, listXattrs } from '../../sdk/namespace/libc.js'

export function treeOf(root: string): string[] {
  const names = new Map<bigint, string>()
  // Names are bytes: as latin1 they stay apart.
  const walk = (at: string): string[] => {
    const path = Buffer.from(`${Buffer.from(root).toString('latin1')}/${at}`, 'latin1')
    const found = lstatSync(path, { bigint: true })
    const lines = [`/${at} ${kindOf(path, found)} ${owner(found)} ${attributesOf(path)}${linkOf(at, found, names)}`]
    if (!found.isDirectory()) return lines
    const entries = readdirSync(path, 'latin1').sort()
    return [...lines, ...entries.flatMap((name) => walk(at === '' ? name : `${at}/${name}`))]
  }
  return walk('')
}

function kindOf(path: Buffer, found: BigIntStats): string {
  if (found.isDirectory()) return 'dir'
  if (found.isSymbolicLink()) return `-> ${readlinkSync(path)}`
  return found.isFile() ? JSON.stringify(readFileSync(path, 'latin1')) : `type ${found.mode >> 12n} ${found.rdev}`
}

function owner({ mode, uid, gid, mtimeNs }: BigIntStats): string {
  return `${(mode & 0o7777n).toString(8)} ${uid}:${gid} ${mtimeNs}`
}

function attributesOf(path: Buffer): string {
  const own = listXattrs(path).filter((name) => !/overlay/.test(name))
  return own.map((name) => `${name}=${getXattr(path, name)}`).join(' ')
}

function linkOf(at: string, { ino, nlink }: BigIntStats, names: Map<bigint, string>): string {
  if (nlink < 2n || names.get(ino) === at) return ''
  const first = names.get(ino)
  names.set(ino, first ?? at)
  return first === undefined ? '' : ` = /${first}`
}
