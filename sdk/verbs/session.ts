import { resolve } from 'node:path'
import { BuilderError } from '../errors.js'
import { quoteWord } from '../image/words.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link session}. */
export interface SessionOptions extends GlobalOptions {}

/** A session's engine. */
export interface SessionResult {
  /** Variables that keep its verbs in the store for which it was begun, where that was said with a flag. */
  readonly variables: Readonly<Record<string, string>>
  /** The folder in which it is asked: the value of `BUILDER_SESSION`. */
  readonly folder: string
}

/**
 * Gives the current shell a session: its builder verbs then cost milliseconds.
 *
 * One engine answers the verbs of this shell, and of what it starts; it ends with the shell. A script needs no session
 * of its own: run it by `builder recipe` or in `builder unshare`.
 *
 * Throws `USAGE` when no engine was started for it, as when it is called in another way than from the shell.
 *
 * @verb
 * @where session
 * @stdout Shell commands that set the variable `BUILDER_SESSION`.
 * @example
 * ```sh
 * eval "$(builder session)"
 * ```
 */
export async function session(options: SessionOptions = {}): Promise<SessionResult> {
  const folder = process.env.BUILDER_SESSION
  const { root, runroot } = options
  const variables = {
    ...(root === undefined ? {} : { BUILDER_ROOT: resolve(root) }),
    ...(runroot === undefined ? {} : { BUILDER_RUNROOT: resolve(runroot) }),
  }
  if (folder) return { folder, variables }
  throw new BuilderError('USAGE', {
    operation: 'session',
    object: 'this process',
    reason: 'it has no engine',
    hint: 'write eval "$(builder session)" at the prompt of a shell',
  })
}

/** What the shell evaluates. The last command tells the engine which process the session belongs to. */
export function present({ folder, variables }: SessionResult): string {
  const settings = Object.entries({ BUILDER_SESSION: folder, ...variables }).map(
    ([name, value]) => `${name}=${quoteWord(value)}; export ${name}`,
  )
  return [...settings, 'echo "owner $$" 1<>"$BUILDER_SESSION/control"'].join('; ')
}
