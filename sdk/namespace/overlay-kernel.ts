import { join } from 'node:path'
import { isInUserNamespace } from './inside.js'
import { mount } from './libc.js'

/**
 * Linux's own overlay of the layers that the links in `l` name, with relative names so that all fit into one page.
 * Throws the system's error. Source: Documentation/filesystems/overlayfs.rst.
 */
export async function mountKernel(dir: string, layers: number): Promise<void> {
  const back = process.cwd()
  process.chdir(dir)
  try {
    mountOnce(layers, ',volatile')
  } catch (error) {
    // Linux before 5.10 does not know it; unmounting then writes the whole disk's cache back.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
    mountOnce(layers, '')
  } finally {
    process.chdir(back)
  }
}

/** The names of the links, top layer first, as a `lowerdir` option. */
export function lowerNames(layers: number): string {
  return Array.from({ length: layers }, (_, i) => join('l', i.toString(36))).join(':')
}

/** A layer must not depend on another one's place, so nothing may be redirected or copied up by metadata only. */
function mountOnce(layers: number, more: string): void {
  const rules = isInUserNamespace() ? 'userxattr' : 'redirect_dir=off,metacopy=off,index=off'
  const folders = `lowerdir=${lowerNames(layers)},upperdir=upper/diff,workdir=work`
  mount('overlay', 'merged', 'overlay', 0, `${folders},${rules}${more}`)
}
