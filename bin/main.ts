import { constants } from 'node:os'
import { asBuilderError } from '../sdk/errors.js'
import { answer } from './answer.js'
import { complain } from './complain.js'
import { table } from './verbs.gen.js'
import { writeOut } from './write-out.js'

const stopper = new AbortController()
let stoppedBy: Stop | undefined

type Stop = 'SIGINT' | 'SIGTERM' | 'SIGHUP'
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop(name))
process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  void writeOut(2, complain(error, { isDebug: true }).stderr).finally(() => process.exit(125))
})
process.exit(await main())

/** The first signal lets the verb undo what is half-made; a second one does not wait. */
function stop(name: Stop): void {
  if (stoppedBy) process.exit(codeOf(stoppedBy))
  stoppedBy = name
  stopper.abort()
}

async function main(): Promise<number> {
  const { signal } = stopper
  const { stdout, stderr, exitCode, isAborted } = await answer(process.argv.slice(2), table, {
    signal,
    get columns() {
      return process.stdout.columns ?? 80
    },
    get isBold() {
      return process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
    },
  })
  await writeOut(2, stderr).catch(() => {})
  try {
    await writeOut(1, stdout)
  } catch (error) {
    await writeOut(2, complain(asBuilderError(error, 'write', 'standard output'), {}).stderr).catch(() => {})
    return 125
  }
  return stoppedBy && isAborted ? codeOf(stoppedBy) : exitCode
}

function codeOf(name: Stop): number {
  return 128 + constants.signals[name]
}
