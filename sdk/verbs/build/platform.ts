import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { checkRunnable, isNative } from '../../containerfile/platforms.js'
import type { ImageConfig } from '../../image/config.js'
import { resolveInRoot } from '../../namespace/rooted-path.js'
import { useRoot } from '../../store/mounts.js'
import type { Store } from '../../store/store.js'

/** The container that a command is to run in. */
export interface RunPlace {
  readonly store: Store
  readonly id: string
  readonly config: ImageConfig
  readonly signal: AbortSignal
}

/**
 * Refuses a command of another platform that nothing on this machine runs, before it fails in its own words. A program of this
 * machine runs in whatever image it lies. Throws `UNSUPPORTED` with what to install.
 */
export async function checkProgram(argv: readonly string[], { store, id, config, signal }: RunPlace): Promise<void> {
  try {
    checkRunnable(config)
  } catch (error) {
    await using root = await useRoot(store, id, signal)
    const start = startOf(root.path, argv[0] ?? '', config.config)
    // One that is not there is another mistake.
    if (start && !isNative(start)) throw error
  }
}

/** The beginning of the program, or of what interprets it. */
function startOf(root: string, program: string, config: ImageConfig['config'], depth = 0): Buffer | undefined {
  const path = (config?.Env ?? []).find((pair) => pair.startsWith('PATH='))?.slice('PATH='.length) ?? usualPath
  const folders = program.includes('/') ? [config?.WorkingDir ?? '/'] : path.split(':')
  const start = folders.map((folder) => read(root, posix.resolve('/', folder, program))).find((bytes) => bytes)
  const script = /^#!\s*(\S+)/.exec(start?.toString('latin1') ?? '')?.[1]
  return script === undefined || depth > 3 ? start : startOf(root, script, config, depth + 1)
}

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function read(root: string, path: string): Buffer | undefined {
  const place = resolveInRoot(root, path)
  if (!statSync(place, { throwIfNoEntry: false })?.isFile()) return undefined
  const file = openSync(place, 'r')
  try {
    const buffer = Buffer.alloc(128)
    return buffer.subarray(0, readSync(file, buffer))
  } finally {
    closeSync(file)
  }
}
