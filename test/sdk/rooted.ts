import { join } from 'node:path'
import { after } from 'node:test'
import type { FromOptions } from '../../sdk/index.js'
import { type Container, from } from '../../sdk/index.js'
import { command, tempDir } from '../lane.js'

/** A store for the whole test file, as options of every verb. */
export const places = placesIn(tempDir({ after }))

export function placesIn(folder: string): { readonly root: string; readonly runroot: string } {
  return { root: join(folder, 'root'), runroot: join(folder, 'run') }
}

/** A container in the file's store. */
export function container(image = 'scratch', options: FromOptions = {}): Promise<Container> {
  return from(image, { ...places, ...options })
}

/** A command line of /bin/sh in a container's root, as the container's root sees it; the container needs no shell for it. */
export async function inRoot(c: Container, line: string): Promise<string> {
  const path = await c.mount()
  const [, pid, inside = path] = /^\/proc\/(\d+)\/root(.*)$/.exec(path) ?? []
  const enter = pid === undefined ? [] : ['nsenter', '-t', pid, '-U', '-m', '--preserve-credentials', '--']
  const { stdout, stderr, code } = await command([...enter, 'sh', '-c', `cd "$1" && ${line}`, 'sh', inside])
  await c.umount()
  if (code !== 0) throw new Error(stderr)
  return stdout
}

/** What a root holds, a line each: path, mode, owner, and size or target. Directories end in `/`. */
export async function listing(c: Container): Promise<string[]> {
  const format = String.raw`-type d -printf '%P/ %m %U:%G\n' -o -type l -printf '%P -> %l\n' -o -printf '%P %m %U:%G %s\n'`
  const text = await inRoot(c, `find . -mindepth 1 ${format} | LC_ALL=C sort`)
  return text.split('\n').filter((line) => line !== '')
}
