import { BuilderError } from '../../errors.js'
import { caller } from '../../namespace/caller.js'
import { openStore } from '../../store/store.js'
import { canAsk } from '../ask.js'
import type { GlobalOptions } from '../global.js'
import { type BuildProgress, type BuildProgressOptions, showBuild } from './progress.js'

/**
 * Does a build that is watched as its options say, and writes the report on it whatever its end is. What cannot be done for
 * who watches is said before anything is built: throws `USAGE`.
 */
export async function watchBuild<T>(
  options: BuildProgressOptions & GlobalOptions,
  work: (progress: BuildProgress) => Promise<T>,
): Promise<T> {
  const page = options.report === undefined ? undefined : await import('./report.js')
  const report = page?.reportPath(options.report ?? '')
  if (options.onFailure === 'shell' && !canAsk()) throw noTerminal()
  await using progress = showBuild(options)
  const write = async (error?: unknown) => {
    if (page && report !== undefined) await page.writeReport(report, progress.record, await openStore(options), error)
  }
  try {
    const result = await work(progress)
    await write()
    return result
  } catch (error) {
    // Why the build failed is what counts.
    await write(error).catch((why: Error) => caller().say(`builder: warning: build --report: ${why.message}\n`))
    throw error
  }
}

function noTerminal(): BuilderError {
  return new BuilderError('USAGE', {
    operation: 'build',
    object: '--on-failure=shell',
    reason: 'there is no terminal for a shell',
    hint: 'leave it out, or start the build at a terminal',
  })
}
