import { execFile } from 'node:child_process'
import { type Dirent, lstatSync, readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { BuilderError } from '../errors.js'
import { setMtime, umount } from './libc.js'
import { lowerNames } from './overlay-kernel.js'
import { childOf, dropMarks, isOpaque, isWhiteout, markOpaque } from './overlay-marks.js'
import { startTimeOf } from './process.js'

/**
 * The overlay of the program fuse-overlayfs, for kernels before 5.11 and file systems that the kernel's overlay does not
 * take. It is a daemon that ends with the mount. Throws `UNSUPPORTED` when it is missing or cannot mount.
 */
export async function mountFuse(dir: string, layers: number): Promise<void> {
  await endDaemons(dir)
  const options = `lowerdir=${lowerNames(layers)},upperdir=upper/diff,workdir=work,volatile`
  try {
    await promisify(execFile)('fuse-overlayfs', ['-o', options, join(dir, 'merged')], { cwd: dir })
  } catch (error) {
    throw refused(error)
  }
}

/** Unmounts and waits until the daemon is gone, for only then is everything in `upper/diff`. */
export async function unmountFuse(dir: string): Promise<void> {
  const daemons = daemonsOf(dir)
  umount(join(dir, 'merged'))
  for (const daemon of daemons) await gone(daemon)
  const lowers = readdirSync(join(dir, 'l')).map((name) => Buffer.from(join(dir, 'l', name)))
  translateMarks(Buffer.from(join(dir, 'upper/diff')), lowers)
}

interface Daemon {
  readonly pid: number
  readonly startTime: string
}

/** A verb that was killed leaves its daemon, and with it a mount namespace that nobody can enter any more. */
async function endDaemons(dir: string): Promise<void> {
  for (const daemon of daemonsOf(dir)) {
    process.kill(daemon.pid, 'SIGKILL')
    await gone(daemon)
  }
}

/** The last word of its command line is what it mounts. */
function daemonsOf(dir: string): Daemon[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    const words = readText(`/proc/${name}/cmdline`).split('\0')
    const startTime = startTimeOf(Number(name))
    const isOurs = words[0]?.endsWith('fuse-overlayfs') && words.at(-2) === join(dir, 'merged')
    return isOurs && startTime !== undefined ? [{ pid: Number(name), startTime }] : []
  })
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

async function gone({ pid, startTime }: Daemon): Promise<void> {
  for (let delay = 1; startTimeOf(pid) === startTime; delay = Math.min(delay * 2, 50)) await setTimeout(delay)
}

/**
 * The program has an attribute and a file of its own for opaque folders, which the kernel's overlay would not read, and
 * puts them into every new folder; it leaves whiteouts of what no layer has. A mark is kept where it hides something.
 * `below` are the folders of the layers, top first, that could show through.
 */
function translateMarks(folder: Buffer, below: readonly Buffer[]): void {
  const { mtimeNs } = lstatSync(folder, { bigint: true })
  const opaque = isOpaque(folder)
  dropMarks(folder)
  for (const marker of markers) rmSync(childOf(folder, marker), { force: true })
  const entries: Dirent<Buffer>[] = readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })
  const through = opaque ? [] : below
  for (const entry of entries) {
    const path = childOf(folder, entry.name)
    const hidden = through.map((lower) => childOf(lower, entry.name)).filter((one) => exists(one))
    if (entry.isDirectory()) translateMarks(path, leadingFolders(hidden))
    else if (isWhiteout(path) && (!hidden[0] || isWhiteout(hidden[0]))) unlinkSync(path)
  }
  if (opaque && below.length > 0) markOpaque(folder)
  setMtime(folder, mtimeNs)
}

/** What is no folder hides what is below it. */
function leadingFolders(paths: readonly Buffer[]): readonly Buffer[] {
  const end = paths.findIndex((path) => !lstatSync(path).isDirectory())
  return end < 0 ? paths : paths.slice(0, end)
}

function exists(path: Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

const markers = ['.wh..wh..opq', '.wh..opq'].map((name) => Buffer.from(name))

function refused(cause: unknown): BuilderError {
  const { code, stderr } = cause as { code?: unknown; stderr?: string }
  const said = stderr?.trim().split('\n')[0]
  return new BuilderError('UNSUPPORTED', {
    operation: 'mount',
    object: 'fuse-overlayfs',
    reason: code === 'ENOENT' ? 'the program is not installed' : `it cannot mount${said ? `: ${said}` : ''}`,
    hint: code === 'ENOENT' ? 'install the package fuse-overlayfs' : 'check that /dev/fuse is there for this user',
    cause,
  })
}
