import { posix } from 'node:path'
import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { type RunFlag, type RunFlags, refusedFlags, refusedShorts, runFlags } from './run-flags.js'

/** A `run` line, taken apart. */
export interface RunLine {
  /** The first word, as it is written: `podman`, `/usr/bin/docker`, `builder`. */
  readonly engine: string
  readonly subcommand: 'run' | 'container run' | 'run-image'
  readonly options: Readonly<RunFlags>
  readonly image: string
  /** The words after the image. */
  readonly command: readonly string[]
  /** Which word the image is, from 0. */
  readonly imageAt: number
}

/** What is wrong with a line, and where. */
export interface LineFault {
  /** Which word, from 0; the number of words when something is missing at the end. */
  readonly at: number
  readonly code: 'INVALID' | 'UNSUPPORTED'
  /** The flag or word as it is written. */
  readonly object: string
  readonly reason: string
  readonly hint: string
}

/**
 * True for the words of a `run` line of podman, docker or builder, whatever its flags are.
 *
 * @example
 * ```ts
 * import { isRunLine } from './run-line.js'
 * isRunLine(['/usr/bin/podman', 'container', 'run', 'web']) // true
 * ```
 */
export function isRunLine(words: readonly string[]): boolean {
  return !('fault' in findSubcommand(words))
}

/**
 * Reads a `run` line of podman, docker or builder. No flag is ever ignored.
 *
 * Throws `INVALID` for a line that is no run line, a flag that is not known, one that lacks its value or has a wrong one, and for an
 * image that is missing or begins with a dash; `UNSUPPORTED` for a flag that builder cannot honour.
 *
 * @example
 * ```ts
 * import { parseRunLine } from './run-line.js'
 * const { options, image } = parseRunLine(['podman', 'run', '-it', '--net=host', 'web'])
 * // { interactive: true, tty: true, network: 'host' }, 'web'
 * ```
 */
export function parseRunLine(words: readonly string[]): RunLine {
  const read = readRunLine(words)
  if (!('at' in read)) return read
  const { code, object, reason, hint } = read
  throw new BuilderError(code, { operation: 'read run line', object: JSON.stringify(object), reason, hint })
}

/** As {@link parseRunLine}, with what is wrong as a value that tells the place. */
export function readRunLine(words: readonly string[]): RunLine | LineFault {
  const found = findSubcommand(words)
  if ('fault' in found) return found.fault
  const { engine, subcommand } = found
  const options: Record<string, boolean | string | readonly string[]> = {}
  let at = found.next
  while (at < words.length) {
    const word = words[at] as string
    if (!word.startsWith('-') || word === '-') break
    if (word === '--') {
      at++
      break
    }
    const read = word.startsWith('--') ? readLong(words, at) : readShorts(words, at)
    if ('fault' in read) return read.fault
    for (const { flag, text, place } of read.given) {
      if (flag.ownOnly && posix.basename(engine) !== 'builder') return unknown(place, word, '--spc')
      const wrong = assign(options, flag, text)
      if (wrong) return { at: place, code: 'INVALID', object: word, ...wrong }
    }
    at = read.next
  }
  const image = words[at]
  const fault = image === undefined ? noImage(at) : faultOfImage(at, image)
  if (fault) return fault
  return {
    engine,
    subcommand,
    options: options as RunFlags,
    image: image as string,
    command: words.slice(at + 1),
    imageAt: at,
  }
}

type Found =
  | { readonly engine: string; readonly subcommand: RunLine['subcommand']; readonly next: number }
  | { readonly fault: LineFault }

/** Global flags that change nothing of what is run may stand before the subcommand. */
function findSubcommand(words: readonly string[]): Found {
  const engine = words[0] ?? ''
  const name = posix.basename(engine)
  if (!['podman', 'docker', 'builder'].includes(name))
    return { fault: bad(0, engine, 'it is not podman, docker or builder', 'begin the line with podman run') }
  let at = 1
  while (words[at]?.startsWith('-')) {
    const word = words[at] as string
    const [flag = '', value] = split(word)
    if (!harmless[flag]) {
      const hint = 'leave it out, or have the line executed as it is with --engine podman'
      return { fault: unsupported(at, word, 'this global flag cannot be honoured', hint) }
    }
    at += harmless[flag] === 'value' && value === undefined ? 2 : 1
  }
  const isLong = words[at] === 'container' && name !== 'builder'
  const verb = isLong ? words[at + 1] : words[at]
  if (verb === 'run') return { engine, subcommand: isLong ? 'container run' : 'run', next: at + (isLong ? 2 : 1) }
  if (verb === 'run-image' && name === 'builder') return { engine, subcommand: 'run-image', next: at + 1 }
  const hint = `write ${name} run`
  return { fault: bad(at, verb ?? '', `${name} is not asked to run an image`, hint) }
}

const harmless: Readonly<Record<string, 'value' | 'boolean'>> = {
  '--log-level': 'value',
  '--debug': 'boolean',
  '-D': 'boolean',
}

interface Given {
  readonly flag: RunFlag
  /** Undefined for a boolean that stands alone. */
  readonly text: string | undefined
  readonly place: number
}

type Read = { readonly given: readonly Given[]; readonly next: number } | { readonly fault: LineFault }

function readLong(words: readonly string[], at: number): Read {
  const word = words[at] as string
  const [name = '', value] = split(word.slice(2))
  const flag = runFlags.find((one) => one.name === name || one.also?.includes(name))
  if (!flag) return { fault: refusedFlags.includes(name) ? refused(at, `--${name}`) : unknown(at, `--${name}`) }
  return take(words, at, flag, value)
}

/** In `-itv a:b` the last one takes the next word, in `-itva:b` and `-itv=a:b` the rest of its own. */
function readShorts(words: readonly string[], at: number): Read {
  const word = words[at] as string
  const given: Given[] = []
  for (let i = 1; i < word.length; i++) {
    const letter = word[i] as string
    const flag = runFlags.find(({ short }) => short === letter)
    if (!flag) return { fault: refusedShorts[letter] ? refused(at, `-${letter}`) : unknown(at, `-${letter}`) }
    const rest = word.slice(i + 1)
    if (flag.kind === 'boolean' && !rest.startsWith('=')) given.push({ flag, text: undefined, place: at })
    else {
      const last = take(words, at, flag, rest === '' ? undefined : rest.replace(/^=/, ''), `-${letter}`)
      return 'fault' in last ? last : { given: [...given, ...last.given], next: last.next }
    }
  }
  return { given, next: at + 1 }
}

function take(
  words: readonly string[],
  at: number,
  flag: RunFlag,
  value: string | undefined,
  shown = `--${flag.name}`,
): Read {
  if (value !== undefined || flag.kind === 'boolean') return { given: [{ flag, text: value, place: at }], next: at + 1 }
  const next = words[at + 1]
  if (next !== undefined) return { given: [{ flag, text: next, place: at + 1 }], next: at + 2 }
  return { fault: bad(at, shown, 'its value is missing', `write ${shown} VALUE`) }
}

function assign(
  options: Record<string, boolean | string | readonly string[]>,
  { key, kind, name, values }: RunFlag,
  text: string | undefined,
): Pick<LineFault, 'reason' | 'hint'> | undefined {
  if (text?.includes('\0')) return { reason: `the value of --${name} holds a NUL byte`, hint: 'take it out' }
  if (kind === 'boolean') {
    const value = text === undefined ? true : booleans.get(text)
    if (value === undefined)
      return { reason: `${JSON.stringify(text)} is neither true nor false`, hint: `write --${name} or --${name}=false` }
    options[key] = value
  } else if (kind === 'list') {
    options[key] = [...((options[key] ?? []) as readonly string[]), text ?? '']
  } else {
    const meant = values ? (Object.hasOwn(values, text ?? '') ? values[text ?? ''] : undefined) : text
    if (meant === undefined)
      return {
        reason: `--${name} ${JSON.stringify(text)} cannot be honoured`,
        hint: `write ${Object.keys(values ?? {}).join(', ')}, or use --engine podman`,
      }
    options[key] = meant
  }
  return undefined
}

/** Source: Go's strconv.ParseBool, which podman and docker read booleans with. */
const booleans = new Map<string, boolean>([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
])

function split(word: string): [string, string | undefined] {
  const at = word.indexOf('=')
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}

function noImage(at: number): LineFault {
  return bad(at, '', 'the image is missing', 'write IMAGE after the flags')
}

function faultOfImage(at: number, image: string): LineFault | undefined {
  if (image.startsWith('-')) return bad(at, image, 'an image cannot begin with a dash', 'check the line')
  if (image === '' || /[\s\0]/.test(image)) return bad(at, image, 'it is not an image name', 'check the line')
  return undefined
}

function unknown(at: number, object: string, near?: string): LineFault {
  const known = runFlags.flatMap(({ name, also = [], ownOnly }) => (ownOnly ? [] : [name, ...also]))
  const word = near || !object.startsWith('--') ? undefined : nearestWord(object.slice(2), known)
  const meant = word ? `did you mean --${word}? ` : ''
  const hint = `${meant}Have the line executed as it is with --engine podman`
  return bad(at, object, 'there is no such flag', word ? hint : 'have the line executed as it is with --engine podman')
}

function refused(at: number, object: string): LineFault {
  const hint = 'leave it out, or have the line executed as it is with --engine podman'
  return unsupported(at, object, 'builder cannot honour this flag', hint)
}

function bad(at: number, object: string, reason: string, hint: string): LineFault {
  return { at, code: 'INVALID', object, reason, hint }
}

function unsupported(at: number, object: string, reason: string, hint: string): LineFault {
  return { at, code: 'UNSUPPORTED', object, reason, hint }
}
