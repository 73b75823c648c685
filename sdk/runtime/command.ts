import { lstatSync } from 'node:fs'
import { posix } from 'node:path'
import { RunError } from '../errors.js'
import { resolveInRoot } from '../namespace/rooted-path.js'

/** Where a command is to be found. */
export interface CommandSearch {
  readonly rootfs: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly path: string
  /** Destinations of mounts: what is below them is not in the rootfs, and is left for the start to find. */
  readonly mounted: readonly string[]
}

/**
 * Looks for a command as execvp(3) will, so that one that is missing is said clearly and with the shells' exit codes.
 *
 * Throws `RunError` with exit code 127 when it is not there, 126 when it is not executable.
 */
export function checkCommand(search: CommandSearch): void {
  const found = candidates(search).map((path) => stateOf(search, path))
  if (found.includes('program') || found.includes('unknown')) return
  const name = search.args[0] ?? ''
  const where = name.includes('/') ? 'in the container' : `in the container's PATH (${search.path})`
  const blocked = found.includes('blocked')
  throw new RunError({
    operation: 'run',
    object: name,
    reason: blocked ? 'it is not an executable file' : `there is no such command ${where}`,
    hint: blocked ? 'set its execute bit with chmod' : 'install it in the container, or check the name',
    argv: search.args,
    exitCode: blocked ? 126 : 127,
  })
}

function candidates({ args, cwd, path }: CommandSearch): string[] {
  const name = args[0] ?? ''
  if (name.includes('/')) return [posix.resolve(cwd, name)]
  return name === '' ? [] : path.split(':').map((folder) => posix.resolve(cwd, folder, name))
}

function stateOf({ rootfs, mounted }: CommandSearch, path: string): 'program' | 'blocked' | 'missing' | 'unknown' {
  const real = resolveInRoot(rootfs, path)
  const inside = `/${posix.relative(rootfs, real)}`
  if (mounted.some((at) => isBelow(at, inside) || isBelow(at, path))) return 'unknown'
  const stat = lstatSync(real, { throwIfNoEntry: false })
  if (!stat) return 'missing'
  return stat.isFile() && (stat.mode & 0o111) !== 0 ? 'program' : 'blocked'
}

function isBelow(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
