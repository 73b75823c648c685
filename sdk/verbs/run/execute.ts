import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { BuilderError } from '../../errors.js'
import { Redaction, redactText } from '../../runtime/redact.js'
import type { BegunRun } from './begun.js'

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
  /** Milliseconds that a stopped command has to end by itself. Default: 1000. */
  readonly grace?: number
}

/** How the command ended and, with `pipe`, what it printed. */
export interface Executed {
  /** 128 + the signal's number when a signal ended it. */
  readonly exitCode: number
  /** Without the secrets that the command was given. */
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
  let last: NodeJS.Timeout | undefined
  const stop = () => {
    child.kill('SIGTERM')
    // A container's first process ignores what it does not handle, pid_namespaces(7); endRun ends what is left of it.
    last = setTimeout(() => child.kill('SIGKILL'), options.grace ?? grace)
  }
  options.signal?.addEventListener('abort', stop, { once: true })
  try {
    child.stdin?.on('error', () => {})
    child.stdin?.end(options.input)
    const secrets = secretsOf(run)
    const [stdout, stderr] = (['stdout', 'stderr'] as const).map((name) => new Collected(child, name, secrets, options))
    const exitCode = await ended(child, program, options.signal)
    const output = { stdout: stdout?.end() ?? nothing, stderr: stderr?.end() ?? nothing }
    if (options.signal?.aborted) throw stopped(run)
    return { exitCode, ...output }
  } finally {
    clearTimeout(last)
    options.signal?.removeEventListener('abort', stop)
  }
}

const grace = 1000

const nothing = new Uint8Array()

/** The secrets that a run can see. */
export function secretsOf({ secrets = [] }: BegunRun): readonly Uint8Array[] {
  return secrets.map((value) => Buffer.from(value, 'base64'))
}

/** What comes from a stream, without the secrets in it. */
class Collected {
  readonly #chunks: Uint8Array[] = []
  readonly #redaction: Redaction
  readonly #tell: (chunk: Uint8Array) => void

  constructor(
    child: ChildProcess,
    name: 'stdout' | 'stderr',
    secrets: readonly Uint8Array[],
    { onOutput }: ExecuteOptions,
  ) {
    this.#redaction = new Redaction(secrets)
    this.#tell = (chunk) => {
      if (chunk.length === 0) return
      this.#chunks.push(chunk)
      onOutput?.(name, chunk)
    }
    child[name]?.on('data', (chunk: Uint8Array) => this.#tell(this.#redaction.push(chunk)))
  }

  end(): Uint8Array {
    this.#tell(this.#redaction.end())
    return Buffer.concat(this.#chunks)
  }
}

/** When it was stopped, processes of the container may still hold its streams: then its exit counts. */
function ended(child: ChildProcess, program: string, signal: AbortSignal | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      const parts = { operation: 'run', object: program, reason: 'it cannot be started', hint: 'install it', cause }
      reject(new BuilderError('SYSTEM', parts))
    })
    const done = (code: number | null, by: NodeJS.Signals | null) =>
      resolve(code ?? 128 + (by ? constants.signals[by] : 0))
    child.once('close', done)
    child.once('exit', (code, by) => signal?.aborted && done(code, by))
  })
}

function stopped(run: BegunRun): BuilderError {
  return new BuilderError('ABORTED', {
    operation: 'run',
    object: redactText(run.command.join(' '), secretsOf(run)),
    reason: 'stopped before it was done',
  })
}
