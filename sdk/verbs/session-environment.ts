import { resolve } from 'node:path'
import type { GlobalOptions } from './global.js'

/** The environment of a script in a session: its verbs use the store that the session was begun with. */
export function sessionEnvironment({ root, runroot }: GlobalOptions): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...(root === undefined ? {} : { BUILDER_ROOT: resolve(root) }),
    ...(runroot === undefined ? {} : { BUILDER_RUNROOT: resolve(runroot) }),
  }
}
