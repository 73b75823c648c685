import type { FailedStep } from '../../containerfile/failed-step.js'
import { BuilderError, printable } from '../../errors.js'
import { caller } from '../../namespace/caller.js'
import { findContainer } from '../../store/containers.js'
import type { Store } from '../../store/store.js'
import type { GlobalOptions } from '../global.js'
import { beginRun, endRun } from '../run/begin.js'
import type { BegunRun } from '../run/begun.js'
import { execute } from '../run/execute.js'
import type { BuildOptions } from './options.js'
import type { BuildProgress } from './progress.js'
import { runOptions } from './run-options.js'

/**
 * Opens a shell in the container of a step that failed, with the mounts and the variables that the step had, at the caller's
 * terminal, and returns when it has ended. What keeps it from opening is
 * told, and nothing else happens.
 */
export async function openShell(
  { store, options, progress }: Watched,
  { bench, run }: FailedStep,
  error: unknown,
  here: GlobalOptions,
): Promise<void> {
  progress.end()
  const { config } = await findContainer(store, bench.id, 'build')
  const shell = interactive(config.config?.Shell ?? ['/bin/sh', '-c'])
  const say = (text: string) => caller().say(`builder: ${text}\n`)
  // In a session the shell takes the launcher's place: what is said after it may come too late.
  if (error instanceof BuilderError) say(printable(error.message))
  say(
    `this is ${shell.join(' ')} in the container of the failed step; when it ends, the container goes and the build fails`,
  )
  const given = run ? runOptions(run, options) : {}
  try {
    const begun = await beginRun(bench.id, shell, { ...here, ...given, terminal: true })
    try {
      await atTerminal(begun, progress.record.failed?.end?.exitCode ?? failed)
    } finally {
      await endRun(begun.token)
    }
  } catch (why) {
    if (!(why instanceof BuilderError)) throw why
    say(printable(why.message))
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

/** What SHELL says, without the flag that takes a command: `/bin/bash -o pipefail -c` is `/bin/bash -o pipefail`. */
function interactive(shell: readonly string[]): readonly string[] {
  return /^-\w*c$/.test(shell.at(-1) ?? '') ? shell.slice(0, -1) : shell
}

async function atTerminal(begun: BegunRun, exitCode: number): Promise<void> {
  const { become } = caller()
  if (!become) return void (await execute(begun, { stdio: 'inherit' }))
  // The launcher that becomes the shell ends with the code of the build.
  const argv = ['/bin/sh', '-c', `"$@"; exit ${exitCode}`, 'sh', ...begun.argv]
  await become({ argv, env: begun.env, keepsSession: true })
}
