import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import type { Readable, Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { Shell } from 'zx'
import { printable } from '../errors.js'
import { quoteWord } from '../image/words.js'
import type { GlobalOptions } from '../verbs/global.js'
import { entering, verb } from './verb.js'

/** The commands of a `$` whose traces are still to be tidied up. */
export class Pending {
  readonly all = new Set<Promise<void>>()
  /** Those that are over: what comes next in a script waits for them. */
  readonly ended = new Set<Promise<void>>()
}

/** zx's `$` bound to a container: a command line runs by the container's `/bin/sh`, and what is put into it is quoted. */
export function containerShell(container: string, options: GlobalOptions, pending: Pending): Shell {
  const beginRun = verb('beginRun')
  const endRun = verb('endRun')
  return shellThat(async (line, input) => {
    // What pipes into it does so when this call is over.
    await setImmediate()
    const begun = await beginRun(container, ['/bin/sh', '-c', line], { ...options, standardInput: input() })
    const variables = Object.entries(begun.env).map(([name, value]) => `${name}=${value}`)
    const words = ['env', '-i', ...variables, ...(await entering()), ...begun.argv]
    return { words, end: () => endRun(begun.token) }
  }, pending)
}

/**
 * zx's `$` bound to the namespace: a command line of this machine runs as its root, where files of containers have the
 * owners that the container sees, and mounts of this script are where they are.
 *
 * @example
 * ```ts
 * import { from, inside } from 'builder-sdk'
 * const c = await from('scratch')
 * const root = await c.mount()
 * await inside`install -d -o 33 -g 33 ${root}/srv`
 * ```
 */
export function inside(pieces: TemplateStringsArray, ...values: unknown[]): ReturnType<Shell> {
  namespaceShell ??= shellThat(async (line) => ({
    words: [...(await entering()), 'sh', '-c', 'cd -- "$1" && eval "$2"', 'sh', process.cwd(), line],
    end: async () => {},
  }))
  return namespaceShell(pieces, ...(values as Parameters<Shell> extends [unknown, ...infer Rest] ? Rest : never))
}

let namespaceShell: Shell | undefined

/** What a command line comes to: the words to execute, and what to do after them. */
type Prepare = (
  line: string,
  input: () => 'empty' | 'unknown',
) => Promise<{ readonly words: readonly string[]; readonly end: () => Promise<unknown> }>

/** zx wants a process at once, so a shell is started that waits for the words to execute until they are known. */
function shellThat(prepare: Prepare, { all, ended } = new Pending()): Shell {
  const start = (line: string, _args: readonly string[], spawning: object) => {
    const stdio = ['pipe', 'pipe', 'pipe', 'pipe'] as 'pipe'[]
    const child = spawn('/bin/sh', ['-c', waiting], { ...spawning, shell: false, stdio })
    const tidied = feed(child, line, prepare, [...ended])
    all.add(tidied)
    child.once('exit', () => ended.add(tidied))
    void tidied.finally(() => {
      all.delete(tidied)
      ended.delete(tidied)
    })
    return child
  }
  // zx's own quote writes $'…', which a POSIX shell such as dash does not know.
  const quote = (word: string) => (word === '' ? "''" : quoteWord(word))
  return zx().$({ spawn: start as unknown as typeof spawn, shell: '/bin/sh', prefix: '', postfix: '', quote })
}

/** Loaded when it is first used: it takes longer than all the rest of the SDK. */
function zx(): typeof import('zx') {
  return createRequire(import.meta.url)('zx')
}

/** Reads quoted words from descriptor 3 until it is closed, and becomes them. */
const waiting = 'words=$(cat <&3); exec 3<&-; eval "exec $words"'

async function feed(
  child: ChildProcess,
  line: string,
  prepare: Prepare,
  before: readonly Promise<void>[],
): Promise<void> {
  const channel = child.stdio[3] as Writable
  const ended = new Promise((resolve) => child.once('exit', resolve))
  channel.on('error', () => {})
  const input = inputOf(child)
  try {
    await Promise.all(before)
    const { words, end } = await prepare(line, input)
    channel.end(`${words.map(quoteWord).join(' ')}\n`)
    await ended
    await end()
  } catch (error) {
    const message = printable(error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ')
    channel.end(`sh -c ${quoteWord('echo "builder: $1" >&2; exit 125')} sh ${quoteWord(message)}\n`)
  }
}

/** Tells whether somebody writes, or pipes, into a command: zx itself always pipes a stream into it that may bring nothing. */
function inputOf({ stdin }: ChildProcess): () => 'empty' | 'unknown' {
  const sources: Readable[] = []
  stdin?.on('pipe', (source: Readable) => sources.push(source))
  return () => {
    const isFed = sources.length > 1 || sources.some((source) => source.listenerCount('unpipe') > 0)
    return isFed || stdin?.writableEnded === true || (stdin?.writableLength ?? 0) > 0 ? 'unknown' : 'empty'
  }
}
