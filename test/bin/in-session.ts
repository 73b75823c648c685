import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { quoteWord } from '../../sdk/image/words.js'

export { eventually } from '../eventually.js'

import { builder, command, type Ran, tempDir, top } from '../lane.js'

/** How a script is put into a session. */
export interface InSession {
  readonly shell?: readonly string[]
  readonly store?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly input?: string | Uint8Array
}

/** What would hang is a failure. */
export const limit = { timeout: 60_000 }

/** The real launcher. */
export const launcher = join(top, 'bin/builder')

/** Programs that are copied into test containers. */
export const closure = ['cat', 'env', 'ls', 'printf', 'readlink', 'sh', 'sleep', 'test', 'true'].map(
  (name) => `/usr/bin/${name}`,
)

/**
 * Runs a script in `builder unshare`, with `$B` as builder. A verb that the session's engine does not answer fails, for
 * builder cannot start by itself there.
 */
export function inSession(t: TestContext, script: string, options: InSession = {}): Promise<Ran> {
  const { shell = ['sh'], store = tempDir(t), env, cwd, input } = options
  const words = ['unshare', ...shell, '-c', `export BUILDER_MAIN=/nowhere/main.js\n${script}`]
  return builder(words, {
    store,
    env: { B: launcher, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
  })
}

/** As {@link inSession}, in a terminal of its own; gives what the terminal shows. */
export async function inTerminal(t: TestContext, script: string, options: InSession = {}): Promise<string> {
  const { store = tempDir(t), env } = options
  const words = [launcher, '--root', join(store, 'root'), '--runroot', join(store, 'run'), 'unshare', 'sh', '-c']
  const line = [...words, `export BUILDER_MAIN=/nowhere/main.js\n${script}`].map(quoteWord).join(' ')
  const ran = await command(['script', '-qec', line, '/dev/null'], { env: { B: launcher, SHELL: '/bin/sh', ...env } })
  return ran.stdout
}

/** A store with a container `c` that has the programs of {@link closure}. */
export async function furnished(t: TestContext): Promise<string> {
  const store = tempDir(t)
  const script = `set -e; $B from --name c scratch; $B copy -q --closure c ${closure.join(' ')}`
  const ran = await inSession(t, script, { store })
  if (ran.code !== 0) throw new Error(ran.stderr)
  return store
}

/** Whether a process is there and not dead. */
export async function isRunning(pid: number): Promise<boolean> {
  const { stdout } = await command(['cat', `/proc/${pid}/stat`])
  return stdout !== '' && !/\) [ZX] /.test(stdout)
}
