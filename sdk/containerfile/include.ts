import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import type { IncludedFile, IncludeKind } from '../cpp-preprocess-wasm/index.js'
import { asBuilderError, type ErrorCode } from '../errors.js'

/** Where includes may come from. */
export interface IncludePlaces {
  readonly file: string
  readonly path?: string
  readonly isNoFile?: boolean
  readonly context?: string
  readonly includePaths?: readonly string[]
}

/** Finds includes on the disk. */
export interface ConfinedIncludes {
  /** `undefined` also for what may not be read; {@link refusal} says why. */
  find(name: string, kind: IncludeKind, from: string): IncludedFile | undefined
  /** The text of a file that was found. */
  textOf(file: string): string
  /** Where the last include was looked for, as a hint. */
  lookedIn(): string
  /** Why the last include may not be read: `UNSAFE` when it leaves its folders, `INVALID` when it is no text. */
  refusal(): Refusal | undefined
}

/** An error that lacks its place. */
export interface Refusal {
  readonly code: ErrorCode
  readonly reason: string
  readonly hint: string
}

/**
 * `"name"` is looked for in the including file's folder, the context and the include paths, `<name>` in the include paths. What is
 * found must be, with all links followed, a file below the context or an include path: what the kernel opened is asked, so that
 * no link can be changed in between.
 */
export function confinedIncludes(places: IncludePlaces): ConfinedIncludes {
  const { context, includePaths = [] } = places
  const given = [...(context === undefined ? [] : [context]), ...includePaths]
  const roots = given.flatMap(realFolder)
  const folders = new Map<string, string>(places.isNoFile ? [] : [[places.file, dirname(places.path ?? places.file)]])
  const texts = new Map<string, string>()
  const shown = new Map<string, string>()
  let tried: readonly string[] = []
  let refused: Refusal | undefined
  const find = (name: string, kind: IncludeKind, from: string) => {
    if (isAbsolute(name))
      throw new Refused('UNSAFE', `${name} is absolute`, 'name it from the context or an include path')
    const own = folders.get(from)
    tried = [...new Set(kind === 'angled' ? includePaths : [...(own === undefined ? [] : [own]), ...given])]
    const folder = tried.find((one) => exists(join(one, name)))
    if (folder === undefined) return undefined
    const path = join(folder, name)
    const { real, text } = readConfined(path, roots)
    const file = shown.get(real) ?? path
    shown.set(real, file)
    folders.set(file, dirname(path))
    texts.set(file, text)
    return { file, text }
  }
  return {
    find: (name, kind, from) => {
      try {
        return find(name, kind, from)
      } catch (error) {
        if (!(error instanceof Refused)) throw asBuilderError(error, 'include', name)
        refused = error
        return undefined
      }
    },
    textOf: (file) => texts.get(file) ?? '',
    lookedIn: () => {
      if (tried.length === 0) return 'add the folder that has it with -I'
      return `it was looked for in ${tried.join(', ')}; add its folder with -I`
    },
    refusal: () => refused,
  }
}

class Refused extends Error implements Refusal {
  constructor(
    readonly code: ErrorCode,
    readonly reason: string,
    readonly hint: string,
  ) {
    super(reason)
  }
}

function realFolder(folder: string): string[] {
  try {
    return [realpathSync(folder)]
  } catch {
    return []
  }
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    // A name that goes through a file, a circle of links, or a folder that may not be entered.
    return false
  }
}

function readConfined(path: string, roots: readonly string[]): { real: string; text: string } {
  // Before it is opened: to open a pipe or a device can do something.
  check(path, realpathSync(path), roots)
  if (!statSync(path).isFile()) throw new Refused('UNSAFE', `${path} is no regular file`, 'include a file')
  const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const real = readlinkSync(`/proc/self/fd/${handle}`)
    check(path, real, roots)
    const stat = fstatSync(handle)
    if (!stat.isFile()) throw new Refused('UNSAFE', `${path} is no regular file`, 'include a file')
    if (stat.size > mostBytes)
      throw new Refused('INVALID', `${path} has ${stat.size} bytes`, `an include has at most ${mostBytes}`)
    return { real, text: textIn(path, readFileSync(handle)) }
  } finally {
    closeSync(handle)
  }
}

/** As much as the preprocessor reads. */
const mostBytes = 32 * 1024 * 1024

function check(path: string, real: string, roots: readonly string[]): void {
  if (roots.some((root) => isBelow(real, root))) return
  const reason = `${path} is ${real}, outside the context and the include paths`
  throw new Refused('UNSAFE', reason, 'move it into the context, or give its folder with -I')
}

function isBelow(path: string, root: string): boolean {
  const way = relative(root, path)
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way)
}

function textIn(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Refused('INVALID', `${path} is not UTF-8`, 'save it as UTF-8')
  }
}
