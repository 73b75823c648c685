import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { type Bench, host } from './sample.js'

/**
 * skopeo, buildah and podman with a storage of their own in the bench's folder, as root or inside a user namespace
 * that others made: they must be told that they need not make one.
 */
export interface OtherTools {
  skopeo(...args: readonly string[]): string
  buildah(...args: readonly string[]): string
  podman(...args: readonly string[]): string
}

export function otherTools(bench: Bench): OtherTools {
  for (const folder of ['tools', 'tools/tmp']) mkdirSync(bench.at(folder), { recursive: true })
  const env = {
    ...process.env,
    ...lane(),
    BUILDAH_ISOLATION: 'chroot',
    HOME: bench.at('tools'),
    TMPDIR: bench.at('tools/tmp'),
  }
  const own = { ...env, XDG_RUNTIME_DIR: bench.at('tools') }
  const storage = ['--storage-driver', 'vfs', '--root', bench.at('tools/root'), '--runroot', bench.at('tools/run')]
  const events = ['--cgroup-manager', 'cgroupfs', '--events-backend', 'none']
  const run = (argv: readonly string[]) => host(argv, { env: own }).trim()
  return {
    skopeo: (verb, ...args) =>
      run(['skopeo', verb as string, ...(verb === 'copy' ? ['-q', '--insecure-policy'] : []), ...args]),
    buildah: (...args) => run(['buildah', ...storage, ...args]),
    podman: (...args) => run(['podman', ...storage, ...events, ...args]),
  }
}

/** A folder with a root filesystem in it: one static program. */
export function rootfs(bench: Bench): string {
  mkdirSync(bench.at('rootfs/bin'), { recursive: true })
  cpSync('/bin/busybox', bench.at('rootfs/bin/busybox'), { dereference: true })
  return bench.at('rootfs')
}

/** In a user namespace the first mapped id is the user's own. */
function lane(): Readonly<Record<string, string>> {
  const owner = (file: string) => /^\s*0\s+(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '0'
  const [uid, gid] = [owner('/proc/self/uid_map'), owner('/proc/self/gid_map')]
  if (uid === '0') return {}
  return { _CONTAINERS_USERNS_CONFIGURED: 'done', _CONTAINERS_ROOTLESS_UID: uid, _CONTAINERS_ROOTLESS_GID: gid }
}
