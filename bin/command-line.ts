import { constants } from 'node:os'
import { asBuilderError } from '../sdk/errors.js'
import { answer } from './answer.js'
import { complain, failed } from './complain.js'
import type { VerbTable } from './verb.js'
import { type Answer, writeOut } from './write-out.js'

/**
 * Carries out the command line of this process and ends it. The first signal lets the verb undo what is half-made and
 * ends with 128 + its number; a second one does not wait.
 */
export async function runCommandLine(table: VerbTable): Promise<never> {
  const stopper = new AbortController()
  let stoppedBy: Stop | undefined
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      if (stoppedBy) process.exit(codeOf(stoppedBy))
      stoppedBy = name
      stopper.abort()
    })
  process.on('uncaughtException', crash)
  const done = await answer(process.argv.slice(2), table, {
    signal: stopper.signal,
    get columns() {
      return process.stdout.columns ?? 80
    },
    get isBold() {
      return process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
    },
  })
  const exitCode = await writeAnswer(done)
  process.exit(stoppedBy && done.isAborted ? codeOf(stoppedBy) : exitCode)
}

type Stop = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

function codeOf(name: Stop): number {
  return 128 + constants.signals[name]
}

/** What nobody awaited. A reader of standard output that went away is no failure. */
function crash(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  void writeOut(2, complain(error, { isDebug: true }).stderr).finally(() => process.exit(failed))
}

async function writeAnswer({ stdout, stderr, exitCode }: Answer): Promise<number> {
  await writeOut(2, stderr).catch(() => {})
  try {
    await writeOut(1, stdout)
    return exitCode
  } catch (error) {
    await writeOut(2, complain(asBuilderError(error, 'write', 'standard output'), {}).stderr).catch(() => {})
    return failed
  }
}
