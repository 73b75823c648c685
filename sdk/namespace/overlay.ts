import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { MS, mount, umount } from './libc.js'
import { mountType } from './mountinfo.js'
import { bindCopy, dropCopy, foldCopy, isCopy, mountCopy, unmountCopy } from './overlay-copy.js'
import { mountFuse, unmountFuse } from './overlay-fuse.js'
import { mountKernel } from './overlay-kernel.js'

/** How layers are put together: by the kernel, by a program in user space, or by copying all of them. */
export type OverlayDriver = 'overlay' | 'fuse-overlayfs' | 'copy'

export interface OverlayMount {
  /** Absolute path of a folder that holds `upper/diff`, `work` and `merged`. */
  readonly dir: string
  /** Absolute paths of layers, top first; at most 500. */
  readonly lowers: readonly string[]
  /** Default: `BUILDER_STORAGE_DRIVER`, else the first that works. */
  readonly driver?: OverlayDriver | undefined
}

/**
 * Mounts layers with `upper/diff` on top of them at `merged`, in this mount namespace. Without layers it is `upper/diff`
 * itself. The layers are named by short links in `l`, for the kernel takes one page of options.
 *
 * Throws `UNSUPPORTED` for more than 500 layers and where the driver does not work, `USAGE` for an unknown driver, `SYSTEM`.
 */
export async function mountOverlay({ dir, lowers, driver }: OverlayMount): Promise<void> {
  if (lowers.length === 0) return mount(join(dir, 'upper/diff'), join(dir, 'merged'), null, MS.BIND, null)
  const wanted = driver ?? askedDriver()
  if (isCopy(dir)) return bindCopy(dir)
  if (lowers.length > most && wanted !== 'copy') throw tooManyLayers(lowers.length)
  layOut(dir, lowers)
  let refused: unknown
  for (const one of wanted ? [wanted] : working ? [working] : drivers) {
    try {
      await mounters[one](dir, lowers.length)
      if (!wanted) working = one
      return
    } catch (error) {
      if (!isRefusal(error)) throw asBuilderError(error, 'mount', join(dir, 'merged'))
      refused ??= error
    }
  }
  throw notHere(wanted, refused)
}

/** Ends what {@link mountOverlay} began; the changes are in `upper/diff` then. Throws the system's EBUSY while it is used. */
export async function unmountOverlay(dir: string): Promise<void> {
  if (isCopy(dir)) return unmountCopy(dir)
  if (mountType(join(dir, 'merged'))?.startsWith('fuse')) return unmountFuse(dir)
  umount(join(dir, 'merged'))
}

/** Brings `upper/diff` up to date while the root stays mounted. Only the copying driver has anything to do. */
export async function foldOverlay(dir: string): Promise<void> {
  if (isCopy(dir)) await foldCopy(dir)
}

/** The same where nothing is mounted any more, after the processes and the namespace of a mount were killed. */
export async function settleOverlay(dir: string): Promise<void> {
  if (!isCopy(dir)) return
  await foldCopy(dir)
  await dropCopy(dir)
}

/**
 * The driver that a mount would use: the one that was asked for, else the first that works. Tried once a process, in a
 * temporary folder in `near`: whether an overlay works depends on the file system too. Run it inside the namespace.
 */
export async function overlayDriver(asked?: OverlayDriver, near: string = tmpdir()): Promise<OverlayDriver> {
  const wanted = asked ?? askedDriver()
  if (wanted || working) return wanted ?? (working as OverlayDriver)
  const folder = mkdtempSync(join(near, 'builder-overlay-'))
  try {
    for (const part of ['layer', 'upper/diff', 'work', 'merged']) mkdirSync(join(folder, part), { recursive: true })
    await mountOverlay({ dir: folder, lowers: [join(folder, 'layer')] })
    await unmountOverlay(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return working ?? 'copy'
}

const drivers = ['overlay', 'fuse-overlayfs', 'copy'] as const
const mounters = { overlay: mountKernel, 'fuse-overlayfs': mountFuse, copy: mountCopy }
let working: OverlayDriver | undefined

/** OVL_MAX_STACK of Linux's fs/overlayfs/params.c. */
const most = 500

function askedDriver(): OverlayDriver | undefined {
  const name = process.env.BUILDER_STORAGE_DRIVER
  if (!name) return undefined
  const known = drivers.find((one) => one === name)
  if (known) return known
  const hint = `write ${drivers.join(', ')}, or unset it`
  throw new BuilderError('USAGE', {
    operation: 'mount',
    object: `BUILDER_STORAGE_DRIVER=${name}`,
    reason: 'there is no such driver',
    hint,
  })
}

/** Nothing of an earlier mount may be left in `work`: the kernel refuses a volatile one. */
function layOut(dir: string, lowers: readonly string[]): void {
  for (const part of ['l', 'work']) {
    rmSync(join(dir, part), { recursive: true, force: true })
    mkdirSync(join(dir, part))
  }
  for (const [i, lower] of lowers.entries()) {
    if (!existsSync(lower)) throw lost(lower)
    symlinkSync(lower, join(dir, 'l', i.toString(36)))
  }
}

/** What says that this driver does not work on this machine, and not that this mount is wrong. */
function isRefusal(error: unknown): boolean {
  if (error instanceof BuilderError) return error.code === 'UNSUPPORTED'
  return ['EINVAL', 'EPERM', 'ENODEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  )
}

function notHere(driver: string | undefined, cause: unknown): BuilderError {
  if (cause instanceof BuilderError) return cause
  return new BuilderError('UNSUPPORTED', {
    operation: 'mount',
    object: driver ?? 'overlay',
    reason: 'this kernel or this file system does not allow it',
    hint: 'leave --storage-driver and BUILDER_STORAGE_DRIVER out, or choose another store with --root',
    cause,
  })
}

function tooManyLayers(count: number): BuilderError {
  return new BuilderError('UNSUPPORTED', {
    operation: 'mount',
    object: `${count} layers`,
    reason: `an overlay takes ${most} layers at most`,
    hint: 'commit with --squash now and then, or use --storage-driver=copy',
  })
}

function lost(lower: string): BuilderError {
  const hint = 'builder check tells what is missing; pull the image again'
  return new BuilderError('NOT_FOUND', { operation: 'mount', object: lower, reason: 'the layer is not there', hint })
}
