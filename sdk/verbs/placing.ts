import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BuilderError } from '../errors.js'
import { parseMode } from '../layer/chmod.js'
import { type IgnoreRules, ignoreRules, parseIgnore } from '../layer/ignore.js'
import { isExcluded, leftOut } from '../layer/left-out.js'
import type { Source } from '../layer/sources.js'
import type { Transplant, TransplantOptions } from '../layer/transplant.js'
import { resolveUser } from '../runtime/user.js'
import { type ContainerRecord, updateContainer } from '../store/containers.js'
import type { Store } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options that copy and add share. */
export interface PlacingOptions extends GlobalOptions {
  /**
   * Take the sources from another container or image instead of this machine; owners are kept.
   * @placeholder CONTAINER|IMAGE
   */
  from?: string
  /**
   * Owner of what is copied, by name or number; names are those of the container. Default: root.
   * @placeholder USER[:GROUP]
   */
  chown?: string
  /**
   * Mode of what is copied: octal, or symbolic as chmod takes it.
   * @placeholder MODE
   */
  chmod?: string
  /**
   * Folder that the sources are taken from; nothing leads out of it.
   * @placeholder DIR
   */
  contextdir?: string
  /**
   * File of patterns to leave out, as .containerignore; needs --contextdir.
   * @placeholder FILE
   */
  ignorefile?: string
  /**
   * Pattern of files to leave out.
   * @placeholder PATTERN
   */
  exclude?: readonly string[]
  /**
   * Modification time of what is copied, in seconds since 1970. Default: each file's own.
   * @placeholder SECONDS
   */
  timestamp?: number
  /**
   * Place what is copied without looking at what is there: links in the way are replaced, not followed. The result is the same on
   * any image.
   */
  link?: boolean
  /** Keep the sources' folders: a/b/c goes to DESTINATION/a/b/c, and a/./b/c to DESTINATION/b/c. */
  parents?: boolean
  /** Add an entry for this copy to the image's history. */
  addHistory?: boolean
  /**
   * Print nothing.
   * @short q
   */
  quiet?: boolean
}

/** Adds an empty entry to what the next commit writes into the image's history. */
export async function noteHistory(store: Store, { id }: ContainerRecord, said: string): Promise<void> {
  const entry = { created_by: `/bin/sh -c #(nop) ${said}` }
  await updateContainer(store, id, (record) => ({ ...record, history: [...(record.history ?? []), entry] }))
}

/** Where a copy of sources into a container goes; the container's working folder when only a source is named. */
export function destinationOf(record: ContainerRecord, paths: readonly string[]): string {
  const workingdir = record.config.config?.WorkingDir ?? '/'
  const last = paths.length > 1 ? (paths.at(-1) as string) : './'
  const path = join('/', last.startsWith('/') ? last : join(workingdir, last))
  return /(?:^|\/)\.{0,2}$/.test(last) && !path.endsWith('/') ? `${path}/` : path
}

/** How copied files are placed: owner, mode and what is left out. */
export async function placing(root: string, options: PlacingOptions): Promise<TransplantOptions> {
  const rules = await rulesOf(options)
  const owner = ownerOf(root, options)
  return {
    ...(owner ? { owner } : {}),
    ...(options.chmod === undefined ? {} : { mode: parseMode(options.chmod) }),
    ...(options.link ? { link: true } : {}),
    ...(options.timestamp === undefined ? {} : { mtime: mtimeOf(options.timestamp) }),
    ...rules,
    ...(options.signal ? { signal: options.signal } : {}),
  }
}

/** Places sources; one file may take the destination's own name. */
export async function copyAll(
  transplant: Transplant,
  sources: readonly Source[],
  destination: string,
  { parents = false }: PlacingOptions,
): Promise<void> {
  const intoFolder = sources.length > 1 || destination.endsWith('/') || parents || transplant.isDirectory(destination)
  for (const source of sources) {
    if (isExcluded(source, transplant.options, parents)) continue
    const { path, name, isDirectory, fromTop, kept, bytes } = source
    const below = parents && kept ? kept.path : ''
    const into = join(destination, below)
    if (parents && kept) await transplant.parents(kept.base, isDirectory ? below : dirname(below), destination)
    if (isDirectory)
      await transplant.contents(path, into, 'given', fromTop, { kept: below, ...(bytes ? { bytes: bytes.path } : {}) })
    else if (intoFolder && name === '') throw nameless(destination)
    else await transplant.file(path, parents && kept ? into : intoFolder ? join(destination, name) : destination, bytes)
  }
}

/** Source: Dockerfile reference, "ADD": an address whose path ends in a name gives that to the file. */
function nameless(destination: string): BuilderError {
  return new BuilderError('USAGE', {
    operation: 'add',
    object: destination,
    reason: 'the address has no file name to give to the file',
    hint: `write the name behind it: ${join(destination, 'NAME')}`,
  })
}

function ownerOf(root: string, { chown, from }: PlacingOptions): { uid: number; gid: number } | undefined {
  // A number alone is the group's as well: Dockerfile reference, COPY --chown.
  if (chown !== undefined) return resolveUser(root, /^\d+$/.test(chown) ? `${chown}:${chown}` : chown)
  return from === undefined ? { uid: 0, gid: 0 } : undefined
}

function mtimeOf(seconds: number): bigint {
  if (Number.isSafeInteger(seconds)) return BigInt(seconds) * 1_000_000_000n
  throw new BuilderError('USAGE', {
    operation: 'copy --timestamp',
    object: String(seconds),
    reason: 'it is not a number of seconds',
    hint: 'write a whole number, the seconds since 1970',
  })
}

async function rulesOf(options: PlacingOptions) {
  const { exclude = [] } = options
  return leftOut(await contextRules(options), exclude.length > 0 ? ignoreRules(exclude) : undefined)
}

/** What an ignore file leaves out of the context. Throws `USAGE` where there is no context, and what reading it throws. */
export async function contextRules({ ignorefile, contextdir }: PlacingOptions): Promise<IgnoreRules | undefined> {
  if (ignorefile === undefined) return undefined
  if (contextdir !== undefined) return parseIgnore(await readFile(ignorefile, 'utf8'), ignorefile)
  const hint = 'name the folder that the patterns belong to with --contextdir'
  throw new BuilderError('USAGE', {
    operation: 'copy',
    object: '--ignorefile',
    reason: '--contextdir is missing',
    hint,
  })
}
