import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isInUserNamespace } from './inside.js'
import { MS, mount, umount } from './libc.js'

export interface OverlayMount {
  /** Absolute path of a folder that holds `upper/diff`, `work` and `merged`. */
  readonly dir: string
  /** Absolute paths of layers, top first; at most 500. */
  readonly lowers: readonly string[]
}

export async function mountOverlay({ dir, lowers }: OverlayMount): Promise<void> {
  if (lowers.length === 0) return mount(join(dir, 'upper/diff'), join(dir, 'merged'), null, MS.BIND, null)
  rmSync(join(dir, 'l'), { recursive: true, force: true })
  rmSync(join(dir, 'work'), { recursive: true, force: true })
  mkdirSync(join(dir, 'l'))
  mkdirSync(join(dir, 'work'))
  for (const [i, lower] of lowers.entries()) symlinkSync(lower, join(dir, 'l', i.toString(36)))
  const names = lowers.map((_, i) => `l/${i.toString(36)}`).join(':')
  const rules = isInUserNamespace() ? 'userxattr' : 'redirect_dir=off,metacopy=off,index=off'
  const back = process.cwd()
  process.chdir(dir)
  try {
    mount('overlay', 'merged', 'overlay', 0, `lowerdir=${names},upperdir=upper/diff,workdir=work,${rules},volatile`)
  } finally {
    process.chdir(back)
  }
}

export async function unmountOverlay(dir: string): Promise<void> {
  umount(join(dir, 'merged'))
}

export function overlayDriver(): 'overlay' | 'fuse-overlayfs' | 'copy' {
  return 'overlay'
}
