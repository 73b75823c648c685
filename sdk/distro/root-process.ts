import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { BuilderError } from '../errors.js'
import { hostEnvironment, needProgram } from '../runtime/programs.js'

/** A program of the host that works on a mounted root. */
export interface RootProcess {
  readonly argv: readonly string[]
  /** All its variables beside PATH. */
  readonly env: Readonly<Record<string, string>>
  /** The root; what {@link makeMountpoints} makes must be there. */
  readonly root: string
  /** Its working folder; `/` by default. */
  readonly cwd?: string
  /** A folder that is in memory while it runs: for what is written with care, and nobody reads again. */
  readonly memory?: string
  /** `false`: it has no network at all. */
  readonly network: boolean
  /** Gets each line that it writes to descriptor 3. */
  readonly onLine?: (line: string) => void
  readonly signal?: AbortSignal
}

/** How it ended. */
export interface RootProcessEnd {
  /** 128 + the signal's number when a signal ended it. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program of the host that changes a root, in mount, process and host name namespaces of its own: in the root it finds
 * /proc and the usual devices, and when it ends, or this process does, everything that it started ends too. It keeps the
 * capabilities that installing packages needs, umask 022, and none of the caller's variables. Throws `UNSUPPORTED` where
 * util-linux is missing, `ABORTED`.
 */
export async function runOnRoot(one: RootProcess): Promise<RootProcessEnd> {
  const { argv, env, root, cwd = '/', memory = '', network, onLine = () => {}, signal } = one
  const [unshare, setpriv, sh] = ['unshare', 'setpriv', 'sh'].map((name) =>
    needProgram(name, 'util-linux', argv[0] ?? ''),
  ) as [string, string, string]
  const namespaces = ['-m', '-u', '-i', '-p', ...(network ? [] : ['-n']), '--fork', '--kill-child', '--mount-proc']
  const privileges = [
    '--no-new-privs',
    '--inh-caps=-all',
    `--bounding-set=-all${kept.map((name) => `,+${name}`).join('')}`,
  ]
  const inside = [setpriv, ...privileges, '--', ...argv]
  const words = ['--pdeathsig', 'KILL', '--', unshare, ...namespaces, '--propagation', 'private']
  const child = spawn(setpriv, [...words, sh, '-c', script, 'sh', root, memory, ...inside], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...hostEnvironment(), ...env },
    cwd,
  })
  const stop = () => void child.kill('SIGKILL')
  signal?.addEventListener('abort', stop, { once: true })
  try {
    eachLine(child.stdio[3] as Readable, onLine)
    const end = await ended(child)
    signal?.throwIfAborted()
    return end
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/**
 * What unpacking needs (owners, modes, capabilities of files, device nodes, the root itself), and scripts of packages beyond that
 * (another user, a process that is to end). Source: capabilities(7).
 */
const kept = [
  ...['chown', 'dac_override', 'fowner', 'fsetid', 'mknod', 'setfcap', 'sys_chroot'],
  ...['setuid', 'setgid', 'kill', 'audit_write'],
]

/** A plain user may not mount /proc where parts of the machine's own are hidden: then that one is seen. */
const script = `
set -e
root=$1 memory=$2
shift 2
umask 022
hostname localhost 2>/dev/null || :
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
for name in null zero full random urandom; do
  [ ! -f "$root/dev/$name" ] || mount --bind "/dev/$name" "$root/dev/$name"
done
[ -z "$memory" ] || mount -t tmpfs tmpfs "$memory" 2>/dev/null || :
exec "$@"`

function eachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}

function ended(child: ChildProcess): Promise<RootProcessEnd> {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(notStarted(cause)))
    child.once('close', (code, signal) => resolve({ ...output, exitCode: code ?? (signal === 'SIGKILL' ? 137 : 143) }))
  })
}

function notStarted(cause: Error): BuilderError {
  const reason = 'it cannot be started'
  return new BuilderError('SYSTEM', { operation: 'start', object: 'setpriv', reason, hint: 'check util-linux', cause })
}
