import { BuilderError } from '../errors.js'
import { parsePlatform } from '../image/platform.js'
import { caller } from '../namespace/caller.js'
import { openStore, type Store } from '../store/store.js'
import { openSink, openSource } from '../transport/transport.js'
import type { GlobalOptions } from './global.js'
import { checkPlatforms } from './transfer/copy-places.js'
import { type SidesOptions, sidesOf } from './transfer/copy-sides.js'
import { checkTransfer, type TransferOptions, transferImage } from './transfer/copy-transfer.js'
import { destinationFor, prepareDestination } from './transfer/sync-destination.js'
import { type SyncSource, sourcesOf } from './transfer/sync-sources.js'

/** Options of {@link sync}. */
export interface SyncOptions extends GlobalOptions, SidesOptions, TransferOptions {
  /**
   * What the source is: a repository or an image in a registry, a folder of images, or a YAML list.
   * @short s
   */
  src?: 'docker' | 'dir' | 'yaml'
  /**
   * What the destination is: a place in a registry, or a folder.
   * @short d
   */
  dest?: 'docker' | 'dir'
  /** Keep the whole name of the source, with its registry, below the destination. */
  scoped?: boolean
  /**
   * Copy the images of all platforms, and the lists that name them.
   * @short a
   */
  all?: boolean
  /**
   * Platform of the images, as os/arch[/variant]; default: this machine's.
   * @placeholder PLATFORM
   */
  platform?: string
  /** Print what would be copied, and copy nothing. */
  dryRun?: boolean
  /**
   * Add this to every tag at the destination.
   * @placeholder SUFFIX
   */
  appendSuffix?: string
  /** Go on with the next image when one fails; the exit code then is 125. */
  keepGoing?: boolean
  /** Fail rather than change a digest. */
  preserveDigests?: boolean
}

/** One image of a sync. */
export interface SyncedImage {
  /** transport:path. */
  readonly source: string
  readonly destination: string
  /** Digest of the manifest at the destination; absent with `dryRun`. */
  readonly digest?: string
}

/**
 * Copies many images: all tags of a repository, a folder of images, or what a YAML list names.
 *
 * From a registry (`--src docker`) an image or, without a tag, every tag of a repository; from a folder (`--src dir`) every
 * image that an earlier sync or `dir:` wrote below it; from a list (`--src yaml`) what a file in skopeo's format names. An
 * image goes below the destination under the last part of its name; with --scoped under the whole. What a registry has
 * already is not sent again; an image in a folder is replaced.
 *
 * Throws `USAGE` for flags that do not fit, `INVALID` for a list of the wrong form, `NOT_FOUND` for a source that is not
 * there, and what `image copy` throws.
 *
 * @verb
 * @where outside
 * @stdout The images with source, destination and digest, as JSON.
 * @param source - Repository or image, folder, or YAML file.
 * @param destination - Place in a registry, or folder.
 * @example
 * ```sh
 * builder sync --src docker --dest dir --scoped quay.io/fedora/fedora:40 ./mirror
 * ```
 * @example
 * ```sh
 * builder sync --src yaml --dest docker --all images.yaml registry.example.com/mirror
 * ```
 * @example
 * ```ts
 * import { sync } from 'builder-sdk'
 * const copied = await sync('images.yaml', './mirror', { src: 'yaml', dest: 'dir', scoped: true })
 * ```
 */
export async function sync(
  source: string,
  destination: string,
  options: SyncOptions = {},
): Promise<readonly SyncedImage[]> {
  const { src, dest } = options
  checkPlatforms('sync', options.platform, options.all ?? false)
  checkTransfer(options, 'sync', options.preserveDigests)
  if (src === undefined) throw usage('--src', 'it is missing', 'say --src docker, --src dir or --src yaml')
  if (dest === undefined) throw usage('--dest', 'it is missing', 'say --dest docker or --dest dir')
  if (src === 'dir' && dest === 'dir') throw usage('--src dir --dest dir', 'both are folders', 'use cp -a or rsync')
  const run: Run = { store: await openStore(options), options, failures: [] }
  const sources = await sourcesOf(src, source, sidesOf(options).source, options)
  const work = withoutClash(sources.map((one) => ({ one, to: destinationFor(dest, destination, one.suffix, options) })))
  const done: SyncedImage[] = []
  for (const { one, to } of work) {
    const entry = { source: one.source, destination: to }
    if (options.dryRun) done.push(entry)
    else await copyOne(run, one, to).then((digest) => digest !== undefined && done.push({ ...entry, digest }))
  }
  if (run.failures.length > 0) throw incomplete(run.failures, work.length)
  return done
}

/** What the shell door prints. */
export function present(result: readonly SyncedImage[]): string {
  return JSON.stringify(result, null, 4)
}

interface Task {
  readonly one: SyncSource
  readonly to: string
}

/** What a list names twice goes once. Throws `USAGE` where one image would take the place of another. */
function withoutClash(tasks: readonly Task[]): readonly Task[] {
  const taken = new Map<string, Task>()
  for (const task of tasks) {
    const other = taken.get(task.to) ?? task
    const both = `${other.one.source} and ${task.one.source} both go there`
    if (other.one.source !== task.one.source) throw usage(task.to, both, 'keep their whole names with --scoped')
    taken.set(task.to, task)
  }
  return [...taken.values()]
}

interface Run {
  readonly store: Store
  readonly options: SyncOptions
  readonly failures: BuilderError[]
}

/** Copies one image and gives its digest; undefined when it failed and the others are to go on. */
async function copyOne(run: Run, from: SyncSource, destination: string): Promise<string | undefined> {
  const { options, failures } = run
  options.signal?.throwIfAborted()
  if (!options.quiet) caller().say(`sync: ${from.source} to ${destination}\n`)
  try {
    return await copied(run, from, destination)
  } catch (error) {
    if (!options.keepGoing || !(error instanceof BuilderError) || error.code === 'ABORTED') throw error
    caller().say(`builder: warning: ${error.message}\n`)
    failures.push(error)
    return undefined
  }
}

async function copied({ store, options }: Run, from: SyncSource, destination: string): Promise<string> {
  const { all = false, preserveDigests = false, signal } = options
  const reached = signal ? { signal } : {}
  const platform = options.platform === undefined ? {} : { platform: parsePlatform(options.platform) }
  await using source = await openSource(store, from.source, { registry: from.access, ...reached })
  await prepareDestination(destination)
  await using sink = await openSink(store, destination, { registry: sidesOf(options).destination, ...reached })
  const transfer = { operation: 'sync', destination, all, preserveDigests, signal, ...platform }
  return (await transferImage(source, sink, options, transfer)).digest
}

function incomplete(failures: readonly BuilderError[], total: number): BuilderError {
  const [first] = failures as [BuilderError]
  const reason = `${failures.length} of ${total} could not be copied, as said above`
  const hint = 'run it again: what is there already is not sent again'
  return new BuilderError(first.code, { operation: 'sync', object: 'images', reason, hint, cause: first })
}

function usage(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('USAGE', { operation: 'sync', object, reason, hint })
}
