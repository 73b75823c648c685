import { chmodSync, chownSync, lstatSync, mkdirSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import { setMtime } from '../namespace/libc.js'

/**
 * Makes what /proc and the devices are mounted on in a root, and gives what takes it away again: nothing is left of it, but
 * what a package has made its own stays. Throws `UNSAFE` where a link is in the way.
 */
export function makeMountpoints(root: string): () => void {
  const times = lstatSync(root, { bigint: true }).mtimeNs
  const folders = ['proc', 'dev'].filter((name) => makeFolder(join(root, name), name))
  const dev = join(root, 'dev')
  const devTimes = lstatSync(dev, { bigint: true }).mtimeNs
  const files = devices.flatMap((name) => makeFile(join(dev, name)))
  setMtime(root, times)
  return () => {
    const before = lstatSync(root, { bigint: true }).mtimeNs
    for (const { path, inode } of files) if (lstatSync(path, { bigint: true }).ino === inode) unlinkSync(path)
    if (!folders.includes('dev')) setMtime(dev, devTimes)
    for (const name of folders) giveBack(root, name)
    setMtime(root, before)
  }
}

const devices = ['null', 'zero', 'full', 'random', 'urandom']

/** A mode that no package gives: where it is still there, the folder is nobody's. */
const ours = 0o1007

function makeFolder(path: string, name: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) return false
  if (found) throw inTheWay(`/${name}`)
  mkdirSync(path)
  chmodSync(path, ours)
  return true
}

function makeFile(path: string): { path: string; inode: bigint }[] {
  if (lstatSync(path, { throwIfNoEntry: false })) return []
  writeFileSync(path, '', { flag: 'wx', mode: 0 })
  return [{ path, inode: lstatSync(path, { bigint: true }).ino }]
}

function giveBack(root: string, name: string): void {
  const path = join(root, name)
  const isOurs = (lstatSync(path).mode & 0o7777) === ours
  const sys = lstatSync(join(root, 'sys'), { throwIfNoEntry: false, bigint: true })
  if (isOurs && name === 'proc' && sys?.isDirectory()) {
    // rpm leaves a mounted /proc alone. Who brings /sys brings it too, and in the same way.
    chownSync(path, Number(sys.uid), Number(sys.gid))
    chmodSync(path, Number(sys.mode) & 0o7777)
    setMtime(path, sys.mtimeNs)
  } else if (isOurs) removeIfEmpty(path)
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
    chmodSync(path, 0o755)
  }
}

function inTheWay(path: string): BuilderError {
  const reason = 'it is no folder, and packages need it while they are installed'
  return new BuilderError('UNSAFE', { operation: 'mount', object: path, reason, hint: 'remove it from the container' })
}
