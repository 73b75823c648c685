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
  const own = toolEnvironment(bench)
  const run = (argv: readonly string[]) => host(argv, { env: own }).trim()
  return {
    skopeo: (verb, ...args) =>
      run(['skopeo', verb as string, ...(verb === 'copy' ? ['-q', '--insecure-policy'] : []), ...args]),
    buildah: (...args) => run(['buildah', ...storage(bench), ...args]),
    podman: (...args) => run(['podman', ...storage(bench), ...quiet, ...args]),
  }
}

/** The words that start podman's service with the same storage. */
export function podmanService(bench: Bench, address: string): readonly string[] {
  return ['podman', ...storage(bench), ...quiet, 'system', 'service', '--time=0', address]
}

/** What these tools find in their environment. */
export function toolEnvironment(bench: Bench): NodeJS.ProcessEnv {
  for (const folder of ['tools', 'tools/tmp']) mkdirSync(bench.at(folder), { recursive: true })
  const folders = { HOME: bench.at('tools'), TMPDIR: bench.at('tools/tmp'), XDG_RUNTIME_DIR: bench.at('tools') }
  return { ...process.env, ...lane(), BUILDAH_ISOLATION: 'chroot', ...folders }
}

function storage(bench: Bench): readonly string[] {
  return ['--storage-driver', 'vfs', '--root', bench.at('tools/root'), '--runroot', bench.at('tools/run')]
}

const quiet = ['--cgroup-manager', 'cgroupfs', '--events-backend', 'none']

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
