import { BuilderError, printable, RunError } from '../sdk/errors.js'
import type { Answer } from './write-out.js'

/** What was going on when it failed. */
export interface Circumstances {
  readonly verb?: string
  /** Show the chain of causes, and the stack of an error that nobody expected. */
  readonly isDebug?: boolean
  readonly isAborted?: boolean
}

/** Exit code of a failure of builder itself, as buildah's. */
export const failed = 125

/** Turns anything thrown into the answer a user reads on standard error. */
export function complain(error: unknown, { verb, isDebug = false, isAborted = false }: Circumstances): Answer {
  const lines = [`builder: ${messageOf(error)}`]
  if (isDebug) lines.push(...causesOf(error))
  if (!(error instanceof BuilderError)) {
    lines.push('This is a bug in builder. Please report it with the command line that led to it.')
    if (isDebug) lines.push(stackOf(error))
    else lines.push('The flag --log-level=debug shows where it happened.')
  } else if (error.code === 'USAGE') lines.push(`See builder ${verb ? `${verb} ` : ''}--help`)
  const stderr = `${printable(lines.filter(Boolean).join('\n'))}\n`
  return { stdout: '', stderr, exitCode: error instanceof RunError ? error.exitCode : failed, isAborted }
}

function messageOf(error: unknown): string {
  if (error instanceof BuilderError) return error.message
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

function causesOf(error: unknown): string[] {
  const lines: string[] = []
  const seen = new Set<unknown>([error])
  for (let cause = causeOf(error); cause !== undefined && !seen.has(cause); cause = causeOf(cause)) {
    seen.add(cause)
    lines.push(`  because: ${messageOf(cause)}`)
  }
  return lines
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined
}

function stackOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  return stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .join('\n')
}
