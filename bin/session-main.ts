import { closeSync, writeSync } from 'node:fs'
import { scriptIn } from '../sdk/door/carry-out.js'
import { endHolder } from '../sdk/namespace/holder.js'
import { serveSession } from '../sdk/namespace/session.js'
import { Surroundings } from '../sdk/namespace/surroundings.js'
import { sessionAnswers } from './session-answer.js'
import { table } from './verbs.gen.js'

/**
 * The engine of a session, started by the launcher with the folder for sessions and the pid of the process that the
 * session belongs to, where that is known. On standard output it tells its own folder, as soon as it can be asked there.
 */
const [parent = '', owner] = process.argv.slice(2)
const lock = process.env.BUILDER_HOLDER_LOCK
// A verb that ended the holder would not see that this process shares its lock.
delete process.env.BUILDER_HOLDER_LOCK
const surroundings = new Surroundings()
const folder = serveSession({
  parent,
  owner: owner === undefined ? undefined : Number(owner),
  handle: sessionAnswers(table, surroundings),
  script: () => scriptIn(surroundings),
  onEnd: tidyUp,
})
process.env.BUILDER_SESSION = folder
writeSync(1, `${folder}\n`)

// What nobody awaited must not end the verbs of a whole script.
process.on('uncaughtException', (error) => {
  process.stderr.write(`builder: the session's engine: ${error.stack}\n`)
})

async function tidyUp(): Promise<void> {
  const { endAllRuns } = await import('../sdk/verbs/run/begin.js')
  await endAllRuns()
  if (lock === undefined) return
  closeSync(Number(lock))
  endHolder()
}
