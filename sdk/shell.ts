import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import { $, type Shell } from 'zx'
import { entering, verb } from './door.js'
import { printable } from './errors.js'
import { quoteWord } from './image/words.js'
import type { GlobalOptions } from './verbs/global.js'

const beginRun = verb('beginRun')
const endRun = verb('endRun')

/**
 * zx's `$` bound to a container: a command line runs by the container's `/bin/sh`, and what is put into it is quoted.
 * zx wants a process at once, so a shell is started that waits for the words to execute until the container is ready.
 * `pending` holds what is still to be tidied up after commands that have ended.
 */
export function containerShell(container: string, options: GlobalOptions, pending: Set<Promise<void>>): Shell {
  const start = (line: string, _args: readonly string[], spawning: object) => {
    const child = spawn('/bin/sh', ['-c', waiting], {
      ...spawning,
      shell: false,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    })
    const ended = new Promise((end) => child.once('exit', end))
    const tidied = prepare(container, line, options, child.stdio[3] as Writable, ended)
    pending.add(tidied)
    void tidied.finally(() => pending.delete(tidied))
    return child
  }
  return $({ spawn: start as unknown as typeof spawn, shell: '/bin/sh', prefix: '', postfix: '' })
}

/** Reads quoted words from descriptor 3 until it is closed, and becomes them. */
const waiting = 'words=$(cat <&3); exec 3<&-; eval "exec $words"'

async function prepare(
  container: string,
  line: string,
  options: GlobalOptions,
  words: Writable,
  ended: Promise<unknown>,
) {
  words.on('error', () => {})
  try {
    const begun = await beginRun(container, ['/bin/sh', '-c', line], options)
    const variables = Object.entries(begun.env).map(([name, value]) => `${name}=${value}`)
    words.end(`${['env', '-i', ...variables, ...(await entering()), ...begun.argv].map(quoteWord).join(' ')}\n`)
    await ended
    await endRun(begun.token)
  } catch (error) {
    const message = printable(error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ')
    words.end(`sh -c ${quoteWord('echo "builder: $1" >&2; exit 125')} sh ${quoteWord(message)}\n`)
  }
}
