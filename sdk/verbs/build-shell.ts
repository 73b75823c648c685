import type { FailedStep } from '../containerfile/failed-step.js'
import { RunError } from '../errors.js'
import { caller } from '../namespace/caller.js'
import { findContainer } from '../store/containers.js'
import type { Store } from '../store/store.js'
import { beginRun, endRun } from './begin-run.js'
import type { BegunRun } from './begun-run.js'
import type { BuildOptions } from './build-options.js'
import type { BuildProgress } from './build-progress.js'
import { runOptions } from './build-run-options.js'
import { execute } from './execute.js'
import type { GlobalOptions } from './global.js'

/**
 * Opens a shell in the container of a step that failed, with the mounts and the variables that the step had, at the caller's
 * terminal, and returns when it has ended. A container without a shell is told, and nothing
 * else happens.
 */
export async function openShell(
  { store, options, progress }: Watched,
  { bench, run }: FailedStep,
  here: GlobalOptions,
): Promise<void> {
  progress.end()
  const { config } = await findContainer(store, bench.id, 'build')
  const shell = config.config?.Shell?.[0] ?? '/bin/sh'
  const say = (text: string) => caller().say(`builder: ${text}\n`)
  say(`this is ${shell} in the container of the failed step; when it ends, the container goes and the build fails`)
  const given = run ? runOptions(run, options) : {}
  try {
    const begun = await beginRun(bench.id, [shell], { ...here, ...given, terminal: true })
    try {
      await atTerminal(begun, progress.record.failed?.end?.exitCode ?? failed)
    } finally {
      await endRun(begun.token)
    }
  } catch (error) {
    if (!(error instanceof RunError)) throw error
    say(error.message)
  }
}

/** A build that somebody watches. */
interface Watched {
  readonly store: Store
  readonly options: BuildOptions
  readonly progress: BuildProgress
}

/** Exit code of a failure of builder itself. */
const failed = 125

async function atTerminal(begun: BegunRun, exitCode: number): Promise<void> {
  const { become } = caller()
  if (!become) return void (await execute(begun, { stdio: 'inherit' }))
  // The launcher that becomes the shell ends with the code of the build.
  const argv = ['/bin/sh', '-c', `"$@"; exit ${exitCode}`, 'sh', ...begun.argv]
  await become({ argv, env: begun.env, keepsSession: true })
}
