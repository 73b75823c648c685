/** How a tree of the tests' is removed, whoever owns what is in it. Benchmarks use it too, so Node's test runner is not in it. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder: above dist/test/. */
export const top = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

export type Lane = 'root' | 'user' | 'bare'

/** The lane that runs this file; by the user id when the file is run by hand. */
export function lane(): Lane {
  const name = process.env.BUILDER_LANE
  if (name === 'root' || name === 'user' || name === 'bare') return name
  return process.getuid?.() === 0 ? 'root' : 'user'
}

/** Removes a tree: unmounts what is mounted in it, and takes the way through a namespace for files of mapped ids. */
export function removeTree(folder: string): void {
  for (let turn = 0; ; turn++) {
    for (const mount of mountsBelow(folder)) spawnSync('umount', ['--lazy', mount])
    try {
      rmSync(folder, { recursive: true, force: true })
      return
    } catch (error) {
      // An engine that has just lost its script is still tidying up in it: what comes anew has to be seen anew.
      if ((error as NodeJS.ErrnoException).code === 'ENOTEMPTY' && turn < 100) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
        continue
      }
      if (process.getuid?.() === 0 || lane() === 'bare') throw error
      spawnSync(process.execPath, [join(top, 'test/setup/inside.mjs'), 'rm', '-rf', folder])
      if (existsSync(folder)) throw error
      return
    }
  }
}

function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      line.split(' ')[4]?.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((path) => path?.startsWith(`${folder}/`) === true)
    .reverse() as string[]
}
