import type { RunImageOptions } from '../verbs/image-run/options.js'
import { outputOf, type RunOutput, type RunStreams } from './run-output.js'
import { verb } from './verb.js'

/** Options of {@link runImage} beside those of the verb. */
export interface RunImageCall extends RunImageOptions, RunStreams {}

/** What an image's command printed and how it ended; with `detach` what was started. */
export interface RunImageOutput extends RunOutput {
  /** The ID of the container that goes on in the background. */
  readonly id?: string
}

const verbs = {
  begin: verb('beginImageRun'),
  end: verb('endRun'),
  start: verb('startDetached'),
}

/**
 * Runs an image: makes a container, runs the image's command or another one in it, and removes it when that has ended. Its output is
 * shown on standard error and given back. With `input` the command reads that; with `detach` it goes on in the background. See
 * `builder run-image` for the options.
 *
 * Throws `RunError` when the command fails (unless `nothrow`), `NOT_FOUND`, `EXISTS`, `USAGE`, `UNSUPPORTED`, `ABORTED`.
 *
 * @example
 * ```ts
 * import { runImage } from 'builder-sdk'
 * const { stdout } = await runImage('tools', ['cat', '/srv/motd'], { volume: ['/srv:/srv:ro'] })
 * ```
 */
export async function runImage(
  image: string,
  command: readonly string[] = [],
  options: RunImageCall = {},
): Promise<RunImageOutput> {
  const { input, stdio, quiet: _, nothrow: __, ...rest } = options
  if (rest.detach) return { id: await verbs.start(image, command, rest), exitCode: 0, stdout: '', stderr: '' }
  const begun = await verbs.begin(image, command, {
    ...rest,
    tty: (rest.tty ?? false) && stdio === 'inherit',
    interactive: (rest.interactive ?? false) || input !== undefined,
  })
  try {
    return await outputOf(begun, image, options)
  } finally {
    await verbs.end(begun.token)
  }
}
