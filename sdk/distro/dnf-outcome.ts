import { BuilderError, type ErrorCode, RunError } from '../errors.js'
import type { DnfEvent } from './dnf-event.js'

/** How dnf ended, and what it told on its way. */
export interface DnfOutcome {
  readonly argv: readonly string[]
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  readonly events: readonly DnfEvent[]
}

/** Everything that it said, errors first. */
export function textOf({ stderr, stdout, events }: DnfOutcome): string {
  const told = events.flatMap((event) => (event.event === 'text' ? [event.text] : []))
  return [stderr, ...told, stdout].join('\n')
}

/** A failure of dnf on a container; with code `RUN` it keeps what dnf printed. */
export function failure(
  code: ErrorCode,
  object: string,
  reason: string,
  hint: string,
  outcome?: DnfOutcome,
): BuilderError {
  const parts = { operation: 'dnf', object, reason, hint }
  if (code !== 'RUN') return new BuilderError(code, parts)
  const { argv = [], exitCode = 1, stdout = '', stderr = '' } = outcome ?? {}
  return new RunError({
    ...parts,
    argv,
    exitCode: exitCode || 1,
    stdout: stdout.slice(-kept),
    stderr: stderr.slice(-kept),
  })
}

/** As much of a stream as a RunError keeps. */
const kept = 16 * 1024

/** The failure of a disk without room. */
export function full(container: string): BuilderError {
  return failure('SYSTEM', container, 'the disk is full', 'free some space (builder prune, builder rmi) and try again')
}
