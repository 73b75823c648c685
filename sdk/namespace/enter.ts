import { type ChildProcess, execFile, type SerializationType, type StdioOptions, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Duplex } from 'node:stream'
import { promisify } from 'node:util'
import { BuilderError } from '../errors.js'
import { findHolder } from './holder.js'
import { type IdRange, subordinateIds } from './idmap.js'
import { isInside } from './inside.js'

export interface EnterOptions {
  /** As for `spawn`; one more descriptor is added behind these while the namespace is made. */
  readonly stdio: Exclude<StdioOptions, string>
  readonly env: NodeJS.ProcessEnv
  /** How an `ipc` channel copies values. Default: `json`. */
  readonly serialization?: SerializationType
}

/**
 * Starts a program as root of a user namespace, with a mount namespace of its own: as it is when this process is inside
 * already, in the holder's namespaces when there is a holder, else in new ones that have all ids that the user may use.
 * Throws `UNSUPPORTED` when the kernel does not let a plain user make namespaces.
 */
export async function spawnInside(argv: readonly string[], options: EnterOptions): Promise<ChildProcess> {
  const [program = '', ...args] = argv
  if (isInside()) return spawn(program, args, options)
  const { stdio } = options
  const inside = { ...options, env: { ...options.env, BUILDER_INSIDE: '1' } }
  const holder = findHolder()
  const join = [
    '-t',
    `${holder?.pid}`,
    '-U',
    '-m',
    '--preserve-credentials',
    '--',
    'sh',
    '-c',
    goTo,
    'sh',
    process.cwd(),
  ]
  if (holder) return spawn('nsenter', [...join, ...argv], inside)
  const gate = stdio.length
  const words = ['-U', '-m', '--propagation', 'slave', 'sh', '-c', waitAt(gate), 'sh', ...argv]
  const child = spawn('unshare', words, { ...inside, stdio: [...stdio, 'pipe'] })
  await openGate(child, child.stdio[gate] as Duplex)
  return child
}

/** A namespace's root is where one stands after entering it. */
const goTo = 'cd -- "$1" && shift && exec "$@"'

/** Says that it is in the new namespace, waits for the id map, and becomes the program: with uid 0 it then has all capabilities. */
function waitAt(gate: number): string {
  return `echo >&${gate}; read -r _ <&${gate}; exec ${gate}>&-; exec "$@"`
}

async function openGate(child: ChildProcess, gate: Duplex): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    gate.once('data', () => resolve())
    child.once('error', () => reject(forbidden('unshare cannot be started')))
    child.once('exit', () => reject(forbidden('the kernel or a policy of this machine forbids user namespaces')))
  })
  try {
    await writeMaps(child.pid as number)
    gate.end('\n')
  } catch (cause) {
    child.kill('SIGKILL')
    const reason = 'the kernel refuses the id map'
    const hint = 'check that newuidmap and newgidmap are setuid root, or work as root'
    throw new BuilderError('ID_MAP', { operation: 'enter', object: 'a user namespace', reason, hint, cause })
  }
}

/** Own id as 0, then the user's subordinate ids from 1. Source: user_namespaces(7), newuidmap(1). */
async function writeMaps(pid: number): Promise<void> {
  const { uid, gid, username } = userInfo()
  const { uids, gids } = subordinateIds({ name: username, uid, gid })
  const hasRanges = uids.length > 0 && gids.length > 0
  // Both end before anything else is written: a map is written once.
  const written = await Promise.allSettled(
    hasRanges
      ? [
          run('newuidmap', [`${pid}`, '0', `${uid}`, '1', ...uids.flatMap(words)]),
          run('newgidmap', [`${pid}`, '0', `${gid}`, '1', ...gids.flatMap(words)]),
        ]
      : [],
  )
  if (hasRanges && written.every(({ status }) => status === 'fulfilled')) return
  warn(username, hasRanges)
  writeSingle(pid, 'uid_map', uid)
  writeSingle(pid, 'gid_map', gid)
}

/** What newuidmap or newgidmap wrote stays: the kernel takes one map for each. Source: user_namespaces(7). */
function writeSingle(pid: number, map: 'uid_map' | 'gid_map', id: number): void {
  if (readFileSync(`/proc/${pid}/${map}`, 'latin1') !== '') return
  if (map === 'gid_map') writeFileSync(`/proc/${pid}/setgroups`, 'deny')
  writeFileSync(`/proc/${pid}/${map}`, `0 ${id} 1\n`)
}

const run = promisify(execFile)

function words({ inside, outside, size }: IdRange): string[] {
  return [`${inside}`, `${outside}`, `${size}`]
}

function warn(user: string, hasRange: boolean): void {
  if (process.env.BUILDER_WARNED) return
  process.env.BUILDER_WARNED = '1'
  const range = `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`
  const [why, mend] = hasRange
    ? ['newuidmap and newgidmap are not installed or not setuid', 'apt-get install uidmap']
    : [`user ${user} has no range in /etc/subuid and /etc/subgid`, range]
  const effect = 'files can have no owner but root: chown, most package managers and images with other owners will fail'
  process.stderr.write(`builder: warning: only one id is mapped, for ${why}; ${effect}; to mend it: ${mend}\n`)
}

function forbidden(reason: string): BuilderError {
  const hint = 'allow them (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone), or work as root'
  return new BuilderError('UNSUPPORTED', { operation: 'enter', object: 'a user namespace', reason, hint })
}
