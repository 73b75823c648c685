import { spawn } from 'node:child_process'
import { asBuilderError, BuilderError } from '../errors.js'
import { findProgram, hostEnvironment } from '../runtime/programs.js'

/** How a program of the host is run. */
export interface HostRunOptions {
  /** All its variables beside PATH and the language. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal | undefined
  /** What is being done, for messages. */
  readonly operation: string
  /** Its standard error goes where its standard output goes, so that what it says keeps its order. */
  readonly oneStream?: boolean
}

/** A program that has ended. */
export interface HostRan {
  readonly code: number
  /** All of its standard output. */
  readonly stdout: string
  /** The end of both its streams, as they came: at most 64 KiB. */
  readonly said: string
}

/**
 * Runs a program of the host to its end, in an environment of its own: umask 022, English, no variables of the caller's.
 * It is a process group, which ends as a whole when it is stopped; when this process is killed, it is killed too. Never throws for an exit code. Throws `SYSTEM`, `ABORTED`.
 */
export async function runOnHost(argv: readonly string[], options: HostRunOptions): Promise<HostRan> {
  const { signal, operation, oneStream = false } = options
  signal?.throwIfAborted()
  const shell = ['sh', '-c', `umask 022; exec "$@"${oneStream ? ' 2>&1' : ''}`, 'sh', ...argv]
  // Also when this process is killed, and can end nothing itself.
  const [program = '', ...words] = [
    ...(findProgram('setpriv') ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []),
    ...shell,
  ]
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...hostEnvironment(), LC_ALL: 'C.UTF-8', TZ: 'UTC', ...options.env },
    detached: true,
    cwd: '/',
  })
  const output: string[] = []
  let said = ''
  const hear = (text: string) => {
    said = (said + text).slice(-sayLimit)
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.push(text)
    hear(text)
  })
  child.stderr.setEncoding('utf8').on('data', hear)
  const stop = () => endGroup(child.pid)
  signal?.addEventListener('abort', stop)
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', (error) => reject(asBuilderError(error, operation, argv[0])))
      child.once('close', (code) => resolve(code ?? 137))
    })
    if (signal?.aborted)
      throw new BuilderError('ABORTED', { operation, object: '', reason: 'stopped before it was done' })
    return { code, stdout: output.join(''), said }
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

const sayLimit = 64 * 1024
