import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { BuilderError } from '../errors.js'
import { caller, type Program } from '../namespace/caller.js'
import { findProgram } from '../runtime/programs.js'

/**
 * Runs a program of this machine in the caller's place: the caller becomes it where it can, else it is a child that has
 * the caller's streams. Returns the exit code; 128 + the signal's number when a signal ended it. Throws `NOT_FOUND`.
 */
export async function becomeOnHost(operation: string, program: Program): Promise<number> {
  checkProgram(operation, program.argv)
  const { become } = caller()
  if (!become) return asChild(operation, program)
  await become(program)
  return 0
}

/** Throws `NOT_FOUND` when a command's program is not on this machine. */
export function checkProgram(operation: string, [name = '']: readonly string[]): void {
  if (!findProgram(name)) throw notFound(operation, name)
}

/** Signals from the terminal reach the program by themselves; this process only waits for it. */
function asChild(operation: string, { argv, env }: Program): Promise<number> {
  const [name = '', ...args] = argv
  const child = spawn(name, args, { stdio: 'inherit', env })
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(notFound(operation, name, cause)))
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}

function notFound(operation: string, object: string, cause?: Error): BuilderError {
  const reason = 'it cannot be started'
  return new BuilderError('NOT_FOUND', { operation, object, reason, hint: 'check its name', cause })
}
