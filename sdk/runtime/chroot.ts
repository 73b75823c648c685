import { chmodSync, closeSync, existsSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname as machineName } from 'node:os'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import { setgroupsDenied } from '../namespace/idmap.js'
import { isInUserNamespace } from '../namespace/inside.js'
import { resolveInRoot } from '../namespace/rooted-path.js'
import { devices, fstab } from './chroot-mounts.js'
import { makeMountpoints } from './mountpoints.js'
import type { RunPlan, Start } from './plan.js'
import { targetOf } from './plan-run.js'
import { findProgram, needProgram } from './programs.js'
import { propagationOf } from './propagation.js'
import { prlimitArgument, type ResourceLimit } from './resource-limit.js'

/**
 * The isolation for a machine without an OCI runtime: namespaces by util-linux's unshare, and chroot. It holds a build
 * apart from the host's files and processes; it is not a wall against a hostile one (no system call filter, and root
 * with SYS_CHROOT can leave a chroot). In a user namespace nothing more than the user's own rights is behind it.
 *
 * Process 1 is a shell that mounts what the run needs, starts the command and gives its exit code on. All values reach
 * it through files in the run's folder, one a line, never as program text.
 *
 * Throws `UNSUPPORTED` for what util-linux cannot do: dropping SYS_CHROOT (or SETUID and SETGID for another user than
 * root), capabilities for another user than root, a seccomp profile, and variables of the dynamic linker when the
 * container has no `env` program to set them.
 */
export function prepareChroot(plan: RunPlan): Start {
  refuseWhatIsImpossible(plan)
  const { folder, hostname, network } = plan
  const [unshare, sh, mount] = ['unshare', 'sh', 'mount'].map((name) => needProgram(name, 'util-linux', 'run'))
  makeDevices(join(folder, 'dev'))
  makeNestedTargets(plan)
  mkdirSync(join(folder, 'sys'))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 })
  write('fstab', fstab(plan))
  write('command', command(plan).map(oneLine).join(''))
  write(
    'secrets',
    Object.entries(plan.secretEnv)
      .map(([name, value]) => oneLine(`${name}=${value}`))
      .join(''),
  )
  write('settings', [mount, hostnameTool(plan), hostname, network, ''].join('\n'))
  write('start', script)
  const newNetwork = network === 'none' ? ['-n'] : []
  const namespaces = ['-m', '-u', '-i', '-p', ...newNetwork, '--fork', '--kill-child', '--propagation', 'private']
  const argv = [unshare, ...namespaces, sh, join(folder, 'start')]
  return { argv: argv as string[], isolation: 'chroot' }
}

function refuseWhatIsImpossible(plan: RunPlan): void {
  const { user, limits, capabilities, noNewPrivileges, ownSeccomp, shares, readonlyRoot, showsCgroups, mounts } = plan
  const needed = user.uid === 0 ? needsOfRoot : needsOfOthers
  const dropped = needed.find((name) => !capabilities.bounding.includes(name))
  // Without effective capabilities and with no way to gain any, what the bounding set still holds does not matter.
  if (dropped && (user.uid === 0 || !noNewPrivileges)) throw impossible(`drop ${dropped}`)
  if (capabilities.ambient.length > 0) throw impossible(`give ${capabilities.ambient[0]} to another user than root`)
  if (ownSeccomp) throw impossible('load a seccomp profile')
  if (limits.length > 0) needProgram('prlimit', 'util-linux', 'run')
  if (shares[0]) throw impossible(`share the host's ${shares[0]} namespace`)
  if (readonlyRoot) throw impossible('make the root read-only')
  if (showsCgroups) throw impossible('show the control groups, as --privileged does')
  if (propagationOf(mounts) !== 'private') throw impossible('have mounts propagate')
}

/**
 * The last steps, each program ending in the next: setpriv as the caller's root sets groups and the bounding set, env
 * sets the environment, unshare changes the root and the user, and the command follows.
 */
function command(plan: RunPlan): string[] {
  const { user, rootfs, cwd } = plan
  const [setpriv, unshare] = ['setpriv', 'unshare'].map((name) => needProgram(name, 'util-linux', 'run')) as [
    string,
    string,
  ]
  const env = needProgram('env', 'coreutils', 'run')
  const bounding = new Set([...plan.capabilities.bounding, ...(user.uid === 0 ? needsOfRoot : needsOfOthers)])
  const keep = [...bounding].map((name) => `,+${name.slice('CAP_'.length).toLowerCase()}`).join('')
  const identity = [
    `--regid=${user.gid}`,
    ...groupArguments(user.groups),
    '--inh-caps=-all',
    `--bounding-set=-all${keep}`,
  ]
  const privileges = plan.noNewPrivileges ? ['--no-new-privs'] : []
  const become = user.uid === 0 ? [] : [`--setuid=${user.uid}`]
  const { early, late } = splitEnvironment(plan)
  return [
    ...limitArguments(plan.limits),
    ...[setpriv, ...identity, ...privileges, '--', env, '-i', '--', ...early],
    ...secretVariables(plan),
    ...[unshare, `--root=${rootfs}`, `--wd=${cwd}`, ...become, '--', ...late, ...plan.args],
  ]
}

/** Words of a process can be read by everybody; so a shell reads these variables from a file, and becomes what follows. */
function secretVariables({ secretEnv, folder }: RunPlan): string[] {
  const names = Object.keys(secretEnv)
  if (names.length === 0) return []
  const odd = names.find((name) => !/^[A-Za-z_]\w*$/.test(name) || loaderVariable.test(`${name}=`))
  if (odd !== undefined) throw impossible(`set the variable ${odd} to a secret`)
  return [needProgram('sh', 'dash', 'run'), '-c', exportScript, 'sh', join(folder, 'secrets')]
}

function limitArguments(limits: readonly ResourceLimit[]): string[] {
  if (limits.length === 0) return []
  return [needProgram('prlimit', 'util-linux', 'run'), ...limits.map(prlimitArgument)]
}

function groupArguments(groups: readonly number[]): string[] {
  if (setgroupsDenied()) return ['--keep-groups']
  return groups.length > 0 ? [`--groups=${groups.join(',')}`] : ['--clear-groups']
}

/**
 * `early` is set before unshare starts, outside the container. Variables that tell a dynamic linker or a C library to
 * load files must not be: an image would then run code outside. They are set by the container's own `env`.
 */
function splitEnvironment({ env, rootfs, args }: RunPlan): { early: string[]; late: string[] } {
  const entries = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const early = entries.filter((entry) => !loaderVariable.test(entry))
  const late = entries.filter((entry) => loaderVariable.test(entry))
  if (late.length === 0) return { early, late }
  const program = ['/usr/bin/env', '/bin/env'].find((path) => existsSync(resolveInRoot(rootfs, path)))
  if (!program || args[0]?.includes('=')) throw impossible(`set ${late[0]?.split('=')[0]} in a container without env`)
  return { early, late: [program, ...late] }
}

/** Empty files for the host's devices to be mounted on, and the links that every /dev has. */
function makeDevices(dev: string): void {
  mkdirSync(dev)
  // Whatever the caller's umask: the directory itself is what every user of the container sees.
  chmodSync(dev, 0o755)
  for (const name of devices) closeSync(openSync(join(dev, name), 'w', 0o666))
  for (const name of ['pts', 'shm', 'mqueue']) mkdirSync(join(dev, name))
  for (const [name, target] of Object.entries(deviceLinks)) symlinkSync(target, join(dev, name))
}

/** Places to mount on that are not in the rootfs but in what is mounted first; OCI runtimes make these themselves. */
function makeNestedTargets({ folder, mounts }: RunPlan): void {
  for (const mount of mounts) {
    const { destination } = mount
    const target = targetOf(mount)
    const outer = mounts.findLast((other) => destination.startsWith(`${other.destination}/`))
    if (destination.startsWith('/dev/')) makeMountpoints(folder, [target])
    else if (outer?.type === 'tmpfs' && target.kind === 'file')
      throw impossible(`mount the file ${destination} in a tmpfs`)
    else if (outer && outer.type !== 'tmpfs')
      makeMountpoints(outer.source, [{ ...target, path: destination.slice(outer.destination.length) }])
  }
}

/** `hostname`, where it is installed; root of the machine can do without. Empty: the host's name is kept. */
function hostnameTool({ hostname }: RunPlan): string {
  const tool = findProgram('hostname')
  if (tool) return tool
  return isInUserNamespace() && hostname !== machineName() ? needProgram('hostname', 'hostname', 'set hostname') : ''
}

/** One line for the script's `read`: a backslash and a newline are written as printf's %b reads them. */
function oneLine(value: string): string {
  return `${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`
}

function impossible(what: string): BuilderError {
  return new BuilderError('UNSUPPORTED', {
    operation: 'run',
    object: '--isolation chroot',
    reason: `it cannot ${what}`,
    hint: 'install crun and use --isolation oci',
  })
}

/** Left in the bounding set, for unshare is the last program that uses them. */
const needsOfRoot = ['CAP_SYS_CHROOT']
const needsOfOthers = ['CAP_SYS_CHROOT', 'CAP_SETUID']

/** Source: glibc sysdeps/generic/unsecvars.h, what a set-user-ID program drops; and musl's LD_ variables. */
const loaderVariable =
  /^(LD_\w*|GLIBC_TUNABLES|GCONV_PATH|GETCONF_DIR|HOSTALIASES|LOCALDOMAIN|LOCPATH|MALLOC_\w*|NIS_PATH|NLSPATH|RESOLV_HOST_CONF|RES_OPTIONS|TMPDIR|TZDIR|MUSL_LOCPATH)=/

const deviceLinks = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  ptmx: 'pts/ptmx',
} as const

/** The name of its variable is nobody else's, so that none that was set before is changed. */
const exportScript = `
while IFS= read -r builder_line; do
  case $builder_line in *\\\\*) builder_line=$(printf '%b.' "$builder_line") && builder_line=\${builder_line%.} ;; esac
  export "$builder_line"
done <"$1"
shift
exec "$@"
`

/**
 * Process 1. /proc is still the caller's when it starts, so that /proc/self/stat gives the process ID that finishRun can
 * use. In a new network namespace the loopback interface is brought up through sysfs (IFF_UP, linux/if.h), for ip(8)
 * need not be installed. `read` keeps a line as it is; those with a backslash are decoded. Open files of the
 * caller are not the command's.
 */
const script = `
fail() { echo "builder: run: cannot $1" >&2; exit 125; }
folder=\${0%/*}
{
  IFS= read -r mount; IFS= read -r hostname; IFS= read -r name; IFS= read -r network
} <"$folder/settings"
read -r stat </proc/self/stat && printf '%s\\n' "$stat" >"$folder/process" || fail "write to $folder"
umask 0022
if [ "$network" = none ]; then
  "$mount" -n -t sysfs sysfs "$folder/sys" && echo 0x1 >"$folder/sys/class/net/lo/flags" || fail 'bring up loopback'
fi
if [ -n "$hostname" ]; then "$hostname" "$name" || fail "set the hostname to $name"
else echo "$name" >/proc/sys/kernel/hostname || fail "set the hostname to $name"; fi
"$mount" -n -a -T "$folder/fstab" || fail 'mount what the container needs'
set --
while IFS= read -r line; do
  case $line in *\\\\*) line=$(printf '%b.' "$line") && line=\${line%.} ;; esac
  set -- "$@" "$line"
done <"$folder/command"
cd / || fail 'leave the directory'
"$@" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
exit $?
`
