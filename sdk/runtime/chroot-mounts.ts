import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isMapped } from '../namespace/idmap.js'
import { isInUserNamespace } from '../namespace/inside.js'
import type { MountRequest } from './mount-request.js'
import { maskedPaths, type RunPlan, readonlyPaths } from './plan.js'

/** What /dev of every container has. Source: OCI runtime-spec config-linux.md, "Default Devices". */
export const devices = ['full', 'null', 'random', 'tty', 'urandom', 'zero'] as const

/**
 * All mounts of a run as fstab(5), for one call of mount(8): /proc, /dev from the run's folder with the host's devices
 * on it, /sys, the masks of an OCI runtime, then what the run asks for.
 */
export function fstab(plan: RunPlan): string {
  const { folder, rootfs } = plan
  const inside = (path: string) => join(rootfs, path)
  const tty = isMapped('gid', 5) ? ',gid=5' : ''
  return [
    line('proc', inside('/proc'), 'proc', guarded),
    line(join(folder, 'dev'), inside('/dev'), 'none', 'bind'),
    ...devices.map((name) => line(`/dev/${name}`, inside(`/dev/${name}`), 'none', 'bind')),
    line('devpts', inside('/dev/pts'), 'devpts', `nosuid,noexec,newinstance,ptmxmode=0666,mode=0620${tty}`),
    line('tmpfs', inside('/dev/shm'), 'tmpfs', `${guarded},mode=1777,size=${plan.shmSize}`),
    line('mqueue', inside('/dev/mqueue'), 'mqueue', guarded),
    ...sysMounts(plan),
    ...(plan.unmasked ? [] : maskedPaths).filter(existsSync).map((path) => mask(path, inside(path))),
    ...(plan.unmasked ? [] : readonlyPaths)
      .filter(existsSync)
      .map((path) => line(inside(path), inside(path), 'none', `bind,ro,${guarded}`)),
    ...plan.mounts.map((request) => requested(request, inside(request.destination))),
  ].join('')
}

/** As for an OCI runtime: a sysfs of the run's own needs the network namespace's owner. */
function sysMounts({ rootfs, network, unmasked }: RunPlan): string[] {
  const sys = join(rootfs, 'sys')
  const access = unmasked ? 'rw' : 'ro'
  if (network !== 'host' || !isInUserNamespace()) return [line('sysfs', sys, 'sysfs', `${guarded},${access}`)]
  return [
    line('/sys', sys, 'none', `rbind,${access},${guarded}`),
    line('tmpfs', join(sys, 'fs/cgroup'), 'tmpfs', `${guarded},ro,mode=555,size=4k`),
  ]
}

function mask(path: string, target: string): string {
  if (!lstatSync(path).isDirectory()) return line('/dev/null', target, 'none', 'bind')
  return line('tmpfs', target, 'tmpfs', `${guarded},ro,mode=555,size=4k,nofail`)
}

function requested(request: MountRequest, target: string): string {
  const flags = request.type === 'cache' ? [] : (request.flags ?? [])
  const access = request.readonly ? ['ro'] : []
  if (request.type === 'tmpfs') {
    const size = request.size === undefined ? [] : [`size=${request.size}`]
    const mode = `mode=${(request.mode ?? 0o1777).toString(8)}`
    return line('tmpfs', target, 'tmpfs', ['rw', ...access, ...flags, mode, ...size, 'X-mount.mkdir'].join(','))
  }
  const bind = request.type === 'bind' && request.recursive === false ? 'bind' : 'rbind'
  const changes = access.length + flags.length > 0 ? [...access, ...flags, ...lockedFlags(request.source)] : []
  const make = statSync(request.source).isDirectory() ? ['X-mount.mkdir'] : []
  return line(request.source, target, 'none', [bind, ...new Set(changes), ...make].join(','))
}

/**
 * The flags that the mount of a path has already. In a user namespace they cannot be taken away, and a remount that
 * does not repeat them is refused. Source: mount_namespaces(7), "Restrictions on mount namespaces".
 */
function lockedFlags(path: string): string[] {
  const real = realpathSync(path)
  let best: { at: string; options: string } | undefined
  for (const row of readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
    const [, , , , at = '', options = ''] = row.split(' ')
    const isAbove = at === '/' || real === at || real.startsWith(`${at}/`)
    if (at && isAbove && at.length >= (best?.at.length ?? 0)) best = { at, options }
  }
  return (best?.options.split(',') ?? []).filter((option) => lockable.has(option))
}

/** One entry of an fstab; blanks and backslashes as octal numbers, as fstab(5) wants them. */
function line(source: string, target: string, type: string, options: string): string {
  const fields = [source, target, type, options].map((field) =>
    field.replace(/[\s\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`),
  )
  return `${fields.join(' ')} 0 0\n`
}

const guarded = 'nosuid,nodev,noexec'
const lockable = new Set(['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime'])
