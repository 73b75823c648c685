/** Folders and tools that the benchmarks share. */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const top = fileURLToPath(new URL('../../..', import.meta.url))

/** A folder for one benchmark, with a store of ours and one of the peers' in it. */
export interface Place {
  readonly folder: string
  readonly ours: readonly string[]
  /** buildah with its own storage, as a list of words. */
  readonly buildah: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** The driver that buildah uses here. */
  readonly driver: string
  remove(): void
}

export function newPlace(): Place {
  // In lower case, for buildah makes image names of paths.
  const folder = join(process.env.BENCH_DIR ?? tmpdir(), `bench-${randomBytes(4).toString('hex')}`)
  mkdirSync(folder)
  const driver = 'overlay'
  const storage = ['--storage-driver', driver, '--root', join(folder, 'b'), '--runroot', join(folder, 'br')]
  return {
    folder,
    ours: [join(top, 'bin/builder'), '--root', join(folder, 'ours'), '--runroot', join(folder, 'run')],
    buildah: ['buildah', ...storage],
    env: {
      ...process.env,
      BUILDAH_ISOLATION: 'chroot',
      BUILDER_ROOT: join(folder, 'ours'),
      BUILDER_RUNROOT: join(folder, 'run'),
    },
    driver,
    remove: () => removeTree(folder),
  }
}

/** Not the one of test/lane.ts, which brings Node's test runner, that writes to standard output. */
function removeTree(folder: string): void {
  const unmount = `for m in $(grep -o "${folder}[^ ]*" /proc/self/mountinfo | sort -ru); do umount -l "$m"; done`
  spawnSync('sh', ['-c', unmount])
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // Files of mapped ids can be removed only from within the namespace that maps them.
    call([process.execPath, join(top, 'test/setup/inside.mjs'), 'rm', '-rf', folder], process)
  }
}

/**
 * Waits until the disk has all and ext4 gives the inodes of deleted files away again, five seconds after it has them: a run
 * that makes 20,000 files soon after others were deleted spends more time on looking for inodes than on its work.
 */
export async function restDisk(): Promise<void> {
  execFileSync('sync')
  if (!process.env.BENCH_QUICK) await setTimeout(6000)
}

/** Runs words and gives what they printed, without the last newline. Throws when they fail. */
export function call(words: readonly string[], { env }: Pick<Place, 'env'>, input?: string): string {
  const [program = '', ...args] = words
  const options = { env, encoding: 'utf8' as const, stdio: ['pipe', 'pipe', 'pipe'] as 'pipe'[], maxBuffer: 1 << 28 }
  return execFileSync(program, args, { ...options, ...(input === undefined ? {} : { input }) }).trimEnd()
}

/** A tree of `files` files that together have about `bytes` bytes, none of which compresses; 200 files a folder. */
export function makeTree(folder: string, files: number, bytes: number): void {
  const block = new Uint8Array(Math.ceil(bytes / files) * 2)
  let state = 88675123
  for (let i = 0; i < block.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    block[i] = state & 255
  }
  for (let i = 0; i < files; i++) {
    const into = join(folder, `d${Math.floor(i / 200)}`)
    if (i % 200 === 0) mkdirSync(into, { recursive: true })
    const start = (i * 7919) % (block.length / 2)
    writeFileSync(join(into, `f${i}`), block.subarray(start, start + bytes / files))
  }
}
