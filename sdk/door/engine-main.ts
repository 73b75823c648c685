import { serveEngine } from '../namespace/engine.js'
import { Surroundings } from '../namespace/surroundings.js'
import { carryingOut } from './carry-out.js'

/** The process of a script's own engine. */
serveEngine(carryingOut(new Surroundings()), endRuns)

/** The commands of a script that is gone would go on in its containers. */
async function endRuns(): Promise<void> {
  const { endAllRuns } = await import('../verbs/run/begin.js')
  await endAllRuns()
}
