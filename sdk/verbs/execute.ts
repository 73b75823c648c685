import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { BuilderError } from '../errors.js'
import type { BegunRun } from './begun-run.js'

/** How a begun command is executed. */
export interface ExecuteOptions {
  /** `inherit`: the caller's own streams. `pipe`: standard input empty or `input`, output kept and given back. */
  readonly stdio: 'inherit' | 'pipe'
  /** Bytes for the command's standard input. */
  readonly input?: string | Uint8Array
  /** Words in front that enter the namespace where the container is mounted. */
  readonly enter?: readonly string[]
  /** Gets each piece of output as it comes. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void
  readonly signal?: AbortSignal
}

/** How the command ended and, with `pipe`, what it printed. */
export interface Executed {
  /** 128 + the signal's number when a signal ended it. */
  readonly exitCode: number
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
}

/**
 * Executes a begun command as a child of this process: its terminal, its signals, its audit identity are the caller's.
 * Throws `ABORTED` when the signal stopped it, `SYSTEM` when it could not be started.
 */
export async function execute(run: BegunRun, options: ExecuteOptions): Promise<Executed> {
  const [program = '', ...args] = [...(options.enter ?? []), ...run.argv]
  options.signal?.throwIfAborted()
  const stdin = options.input === undefined ? (options.stdio === 'inherit' ? 'inherit' : 'ignore') : 'pipe'
  const child = spawn(program, args, { stdio: [stdin, options.stdio, options.stdio], env: { ...run.env } })
  const stop = () => child.kill('SIGTERM')
  options.signal?.addEventListener('abort', stop, { once: true })
  try {
    child.stdin?.on('error', () => {})
    child.stdin?.end(options.input)
    const output = { stdout: collect(child, 'stdout', options), stderr: collect(child, 'stderr', options) }
    const exitCode = await ended(child, program)
    if (options.signal?.aborted) throw stopped(run)
    return { exitCode, stdout: Buffer.concat(output.stdout), stderr: Buffer.concat(output.stderr) }
  } finally {
    options.signal?.removeEventListener('abort', stop)
  }
}

function collect(child: ChildProcess, name: 'stdout' | 'stderr', { onOutput }: ExecuteOptions): Uint8Array[] {
  const chunks: Uint8Array[] = []
  child[name]?.on('data', (chunk: Uint8Array) => {
    chunks.push(chunk)
    onOutput?.(name, chunk)
  })
  return chunks
}

function ended(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      const parts = { operation: 'run', object: program, reason: 'it cannot be started', hint: 'install it', cause }
      reject(new BuilderError('SYSTEM', parts))
    })
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}

function stopped({ command }: BegunRun): BuilderError {
  return new BuilderError('ABORTED', {
    operation: 'run',
    object: command.join(' '),
    reason: 'stopped before it was done',
  })
}
