import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { needProgram } from '../runtime/programs.js'
import { type HostRan, runOnHost } from './host-run.js'

/** What a program that works on a root needs to know. */
export interface Apart {
  readonly operation: string
  /** A folder for what is needed meanwhile. */
  readonly folder: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a program in namespaces of its own, without a network; `full` prepares the root for the maintainer scripts. What the
 * namespaces hold ends with the program.
 */
export function runApart(
  root: string,
  { folder, operation, signal }: Apart,
  epoch: number,
  env: Readonly<Record<string, string>>,
  manner: 'bare' | 'full',
  words: readonly string[],
): Promise<HostRan> {
  mkdirSync(join(folder, 'nothing'), { recursive: true })
  const unshare = needProgram('unshare', 'util-linux', operation)
  const namespaces = ['-m', '-p', '-n', '-u', '-i', '--propagation', 'private', '--fork', '--kill-child']
  return runOnHost([unshare, ...namespaces, 'sh', '-c', script, 'sh', manner, root, folder, ...words], {
    operation,
    signal,
    oneStream: true,
    env: {
      DEBIAN_FRONTEND: 'noninteractive',
      DEBCONF_NONINTERACTIVE_SEEN: 'true',
      HOME: '/root',
      SOURCE_DATE_EPOCH: `${epoch}`,
      ...env,
    },
  })
}

/**
 * dpkg of the host reads the host's /etc/dpkg, which must not count here. It also follows links of the root as the host reads them:
 * so nothing of the host can be written but /tmp. A /dev of memory: what scripts make there is no part of the image, and neither
 * is /proc. Where the kernel permits no new /proc the host's is shown.
 */
const script = `set -e
manner=$1 root=$2 folder=$3
shift 3
if test -d /etc/dpkg; then mount --bind "$folder/nothing" /etc/dpkg; fi
hostname localhost 2>/dev/null || :
test "$manner" = full || exec "$@"
# With the mounts in it: a user may not look below those.
mount --rbind /tmp /tmp
mount --bind "$folder" "$folder"
while read -r _ _ _ _ at _; do
  case $at in
    "$root" | "$root"/* | "$folder" | /tmp | /tmp/* | /proc | /proc/* | /dev | /dev/*) ;;
    *) mount -o remount,bind,ro "$at" 2>/dev/null || : ;;
  esac
done </proc/self/mountinfo
mkdir -p "$root/proc" "$root/dev" "$root/usr/sbin"
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
  : >"$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
for fd in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/\${fd%%:*}" "$root/dev/\${fd#*:}"; done
policy=$root/usr/sbin/policy-rc.d
test -e "$policy" || { printf '#!/bin/sh\\nexit 101\\n' >"$policy"; chmod 755 "$policy"; made=1; }
code=0
"$@" || code=$?
test -z "\${made-}" || rm "$policy"
exit "$code"
`
