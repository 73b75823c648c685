import { RunError } from '../errors.js'
import { redactText } from '../runtime/redact.js'
import type { BegunRun } from '../verbs/run/begun.js'
import { execute, secretsOf } from '../verbs/run/execute.js'
import { entering } from './verb.js'

/** How a script gives a command its streams, and takes its end. */
export interface RunStreams {
  /** What the command reads from its standard input; nothing when absent. */
  input?: string | Uint8Array
  /** `inherit`: the command uses this script's own streams, and nothing is given back. */
  stdio?: 'pipe' | 'inherit'
  /** Do not show the command's output on standard error while it runs. */
  quiet?: boolean
  /** Give the result back also when the command fails. */
  nothrow?: boolean
}

/** What a command in a container printed and how it ended. */
export interface RunOutput {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Carries out a begun run as a child of this script. Throws `RunError` when it fails (unless `nothrow`), `ABORTED`. */
export async function outputOf(
  begun: BegunRun,
  container: string,
  options: RunStreams & { readonly signal?: AbortSignal; readonly validExitCodes?: readonly string[] },
): Promise<RunOutput> {
  const { input, stdio = 'pipe', quiet = false, nothrow = false, signal, validExitCodes = [] } = options
  const done = await execute(begun, {
    stdio,
    enter: await entering(),
    onOutput: (_, chunk) => void (quiet || process.stderr.write(chunk)),
    ...(input === undefined ? {} : { input }),
    ...(signal ? { signal } : {}),
  })
  const output = { exitCode: done.exitCode, stdout: text(done.stdout), stderr: text(done.stderr) }
  if (nothrow || done.exitCode === 0 || validExitCodes.includes(`${done.exitCode}`)) return output
  const secrets = secretsOf(begun)
  const words = begun.command.map((word) => redactText(word, secrets))
  throw failed(container, words, output)
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

const kept = 16 * 1024

function failed(container: string, argv: readonly string[], { exitCode, stdout, stderr }: RunOutput): RunError {
  const last = stderr.trimEnd().split('\n').at(-1) ?? ''
  const reason = `${argv.join(' ')} ended with exit code ${exitCode}${last === '' ? '' : `: ${last.slice(0, 500)}`}`
  const hint = 'its output is in stdout and stderr of this error'
  const tails = { stdout: stdout.slice(-kept), stderr: stderr.slice(-kept) }
  return new RunError({ operation: 'run in', object: container, reason, hint, argv, exitCode, ...tails })
}
