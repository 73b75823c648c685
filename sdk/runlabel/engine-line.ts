import { BuilderError } from '../errors.js'
import { type RunFlag, refusedFlags, refusedShorts, runFlags } from './run-flags.js'
import { parseRunLine, type RunLine, readRunLine } from './run-line.js'

/** A `run` line as podman or docker will read it. */
export interface EngineLine {
  /** What of it builder understands. */
  readonly line: RunLine
  /** Flags of the engine's that builder cannot honour itself, as `--publish=80:80`. */
  readonly others: readonly string[]
  /**
   * The words to execute: as they were, but for `others`. Those carry their value after `=`, so that the engine and who judged
   * cannot disagree about where it ends.
   */
  readonly words: readonly string[]
  /** Which of `words` is the image, from 0. */
  readonly imageAt: number
  /** Which of the words that were given is the image. */
  readonly givenImageAt: number
}

/**
 * Takes a `run` line apart for an engine of its own. What builder cannot honour stays in `others`, for somebody to judge.
 *
 * Throws `INVALID` for a flag that is not known, for nobody could judge it, `UNSUPPORTED` for one before the subcommand, and what
 * {@link parseRunLine} throws.
 *
 * @example
 * ```ts
 * import { readEngineLine } from './engine-line.js'
 * readEngineLine(['podman', 'run', '-p', '80:80', 'web']).others // ['--publish=80:80']
 * ```
 */
export function readEngineLine(given: readonly string[]): EngineLine {
  const start = given[1] === 'container' ? 3 : 2
  if (given[start - 1] !== 'run') throw noGlobalFlags(given[1] ?? '')
  const words = given.slice(0, start)
  const known = [...words]
  const others: string[] = []
  let at = start
  while (isFlag(given[at])) {
    const read = readFlag(given, at)
    if (!read) throw wrongFlag([...known, ...given.slice(at)], given[at] as string)
    const strange = read.flags.filter((one) => !isHonoured(one))
    known.push(...read.flags.filter((one) => !strange.includes(one)))
    others.push(...strange)
    words.push(...(strange.length > 0 ? read.flags : given.slice(at, read.next)))
    at = read.next
  }
  const rest = given.slice(at)
  const isEnded = rest[0] === '--'
  const imageAt = words.length + (isEnded ? 1 : 0)
  const line = parseRunLine([...known, ...rest])
  return { line, others, words: [...words, ...rest], imageAt, givenImageAt: at + (isEnded ? 1 : 0) }
}

/** What is wrong is said in the usual words. */
function wrongFlag(words: readonly string[], flag: string): BuilderError {
  const fault = readRunLine(words)
  const told = 'at' in fault ? fault : { object: flag, reason: 'it cannot be judged', hint: 'leave it out' }
  const { object, reason, hint } = told
  return new BuilderError('INVALID', { operation: 'read run line', object: JSON.stringify(object), reason, hint })
}

function isFlag(word: string | undefined): boolean {
  return word?.startsWith('-') === true && word !== '-' && word !== '--'
}

function noGlobalFlags(object: string): BuilderError {
  return new BuilderError('UNSUPPORTED', {
    operation: 'read run line',
    object: JSON.stringify(object),
    reason: 'a flag before the subcommand cannot be judged',
    hint: 'have the label begin with podman run',
  })
}

interface ReadFlag {
  readonly flags: readonly string[]
  readonly next: number
}

function readFlag(words: readonly string[], at: number): ReadFlag | undefined {
  const word = words[at] as string
  if (!word.startsWith('--')) return readShorts(words, at)
  const equals = word.indexOf('=')
  const name = word.slice(2, equals < 0 ? undefined : equals)
  const flag = longFlag(name)
  if (!flag) return undefined
  if (equals >= 0) return { flags: [word], next: at + 1 }
  if (flag.isBoolean) return { flags: [`${word}=true`], next: at + 1 }
  const value = words[at + 1]
  return value === undefined ? undefined : { flags: [`${word}=${value}`], next: at + 2 }
}

function readShorts(words: readonly string[], at: number): ReadFlag | undefined {
  const word = words[at] as string
  const flags: string[] = []
  for (let i = 1; i < word.length; i++) {
    const flag = shortFlag(word[i] as string)
    if (!flag) return undefined
    const rest = word.slice(i + 1)
    if (flag.isBoolean && !rest.startsWith('=')) {
      flags.push(`--${flag.name}=true`)
      continue
    }
    const value = rest === '' ? words[at + 1] : rest.replace(/^=/, '')
    if (value === undefined) return undefined
    return { flags: [...flags, `--${flag.name}=${value}`], next: at + (rest === '' ? 2 : 1) }
  }
  return { flags, next: at + 1 }
}

interface Arity {
  readonly name: string
  readonly isBoolean: boolean
}

function longFlag(name: string): Arity | undefined {
  const known = runFlags.find((one) => !one.ownOnly && (one.name === name || one.also?.includes(name)))
  if (known) return arityOf(known)
  return refusedFlags.includes(name) ? { name, isBoolean: booleans.has(name) } : undefined
}

function shortFlag(letter: string): Arity | undefined {
  const known = runFlags.find(({ short }) => short === letter)
  if (known) return arityOf(known)
  const name = refusedShorts[letter]
  return name === undefined ? undefined : { name, isBoolean: booleans.has(name) }
}

function arityOf({ name, kind }: RunFlag): Arity {
  return { name, isBoolean: kind === 'boolean' }
}

function isHonoured(flag: string): boolean {
  return !('at' in readRunLine(['podman', 'run', flag, 'image']))
}

/** Of the flags that builder does not honour, those that take no value. Source: podman-run(1), docker-run(1). */
const booleans = new Set(
  (
    'disable-content-trust env-host http-proxy init no-healthcheck no-hosts oom-kill-disable passwd publish-all quiet ' +
    'read-only-tmpfs rmi rootfs sig-proxy tls-verify unsetenv-all'
  ).split(' '),
)
