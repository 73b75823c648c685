import { existsSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MS, mount, umount } from './libc.js'
import { writeDifference } from './overlay-difference.js'
import { mergeLayers } from './overlay-merge.js'

/**
 * The driver for machines without any overlay: `copy` is a copy of all layers, bound to `merged`, blocks shared where the
 * file system can. While `copy` exists it is the truth; `upper/diff` is made from it. Every step is one rename.
 */
export async function mountCopy(dir: string, layers: number): Promise<void> {
  const unfinished = join(dir, 'copy.new')
  rmSync(unfinished, { recursive: true, force: true })
  const lowers = Array.from({ length: layers }, (_, i) => readlinkSync(join(dir, 'l', i.toString(36))))
  await mergeLayers([...lowers.reverse(), join(dir, 'upper/diff')], unfinished)
  renameSync(unfinished, join(dir, 'copy'))
  bindCopy(dir)
}

/** Mounts the copy that is there: the links in `l` still name its layers. */
export function bindCopy(dir: string): void {
  mount(join(dir, 'copy'), join(dir, 'merged'), null, MS.BIND, null)
}

/** Whether a container's content is in a copy, mounted or left by a process that was killed. */
export function isCopy(dir: string): boolean {
  return existsSync(join(dir, 'copy'))
}

export async function unmountCopy(dir: string): Promise<void> {
  umount(join(dir, 'merged'))
  await foldCopy(dir)
  await dropCopy(dir)
}

/** Makes `upper/diff` what the copy has beyond the layers. */
export async function foldCopy(dir: string): Promise<void> {
  const [unfinished, old, diff] = ['diff.new', 'diff.old', 'upper/diff'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ]
  for (const path of [unfinished, old]) rmSync(path, { recursive: true, force: true })
  const names = (await readdir(join(dir, 'l'))).map((name) => Number.parseInt(name, 36)).sort((a, b) => a - b)
  const lowers = names.map((n) => readlinkSync(join(dir, 'l', n.toString(36))))
  writeDifference(join(dir, 'copy'), lowers, unfinished)
  if (existsSync(diff)) renameSync(diff, old)
  renameSync(unfinished, diff)
  rmSync(old, { recursive: true, force: true })
}

/** To be called when `upper/diff` is up to date and nothing is mounted. */
export async function dropCopy(dir: string): Promise<void> {
  const old = join(dir, 'copy.old')
  rmSync(old, { recursive: true, force: true })
  renameSync(join(dir, 'copy'), old)
  rmSync(old, { recursive: true, force: true })
}
