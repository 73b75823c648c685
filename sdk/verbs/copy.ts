import { placeText } from '../containerfile/place-text.js'
import { closureOf } from '../distro/closure.js'
import { BuilderError } from '../errors.js'
import { withoutIgnored } from '../layer/left-out.js'
import { findSources, type Source } from '../layer/sources.js'
import { Transplant } from '../layer/transplant.js'
import type { Content } from '../steps/content.js'
import { type ContainerRecord, findContainer } from '../store/containers.js'
import { useRoot } from '../store/mounts.js'
import { openStore, type Store } from '../store/store.js'
import { contextRules, copyAll, destinationOf, noteHistory, type PlacingOptions, placing } from './placing.js'
import { type LazyRoot, lazyRoot } from './run/other-root.js'
import { byOrigin, placingInputs, readContent, withoutNames } from './step/place.js'
import { beginStep, type StepDone, type StepWish } from './step/step.js'

/** Options of {@link copy}. */
export interface CopyOptions extends PlacingOptions {
  /** Copy programs of this machine to their own paths, with the shared libraries and interpreters that they need. */
  closure?: boolean
}

/** What was copied. */
export interface CopyResult {
  /** Digest over names, modes, owners and content of all that was copied. */
  readonly digest: string
}

/**
 * Copies files and folders into a container.
 *
 * A folder's content goes into the destination; several sources, or a destination that ends in `/`, mean a folder. Without
 * a destination it is the container's working folder. Owner is root unless --chown or --from says otherwise; modes, times,
 * links and extended attributes are kept. With --closure the sources are programs and there is no destination.
 *
 * Throws `NOT_FOUND` for a container or a source that is not there, `INVALID` where a folder is in a file's way, `ID_MAP`
 * for an owner outside the id map.
 *
 * @verb
 * @where inside
 * @stdout The digest of what was copied.
 * @param container - Name or ID of a container.
 * @param paths - Sources, and the destination last.
 * @example
 * ```sh
 * builder copy --chown www-data "$c" site/ /srv/
 * builder copy --closure "$c" /usr/bin/curl
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.copy('site/', '/srv/', { chmod: 'u=rwX,go=rX' })
 * ```
 */
export async function copy(
  container: string,
  paths: readonly string[],
  options: CopyOptions = {},
): Promise<CopyResult> {
  const store = await openStore(options)
  const record = await findContainer(store, container, 'copy')
  const copying: Copying = { store, record, paths, options, read: {} }
  await using from = lazyRoot(store, 'copy --from', options)
  const step = await beginStep(store, record, wishOf(copying, from), options.signal)
  if (step?.hit) return { digest: step.hit.output?.stdout ?? '' }
  let done: StepDone = { state: 'failed' }
  try {
    const digest = await place(copying, from)
    const unkept =
      (await copying.read.content?.unchanged()) === false ? 'a file changed while it was copied' : undefined
    done = { state: 'done', unkept, output: { stdout: digest, stderr: '', exitCode: 0 } }
    return { digest }
  } finally {
    await step?.end(done)
  }
}

/** What the shell door prints. */
export function present(result: CopyResult, options: CopyOptions): string {
  return options.quiet || options.addHistory ? '' : result.digest
}

interface Copying {
  readonly store: Store
  readonly record: ContainerRecord
  readonly paths: readonly string[]
  readonly options: CopyOptions
  /** What a step has read of the sources. */
  readonly read: { content?: Content }
}

async function place({ store, record, paths, options }: Copying, from: LazyRoot): Promise<string> {
  await using root = await useRoot(store, record.id, options.signal)
  const context = (await from.path()) ?? options.contextdir
  const transplant = new Transplant(root.path, await placing(root.path, options))
  if (options.closure) await copyClosure(transplant, paths)
  else await copyAll(transplant, await findAll(paths, context, options), destinationOf(record, paths), options)
  const digest = transplant.finish()
  if (options.addHistory) await noteHistory(store, record, `COPY ${digest} in ${paths.at(-1)}`)
  return digest
}

function wishOf(copying: Copying, from: LazyRoot): StepWish {
  const { store, record, paths, options } = copying
  const destination = options.closure ? '/' : destinationOf(record, paths)
  const inputs = placingInputs(destination, options)
  const bySources = async () => {
    const context = (await from.path()) ?? options.contextdir
    const sources = options.closure ? await closureSources(paths) : await findAll(paths, context, options)
    copying.read.content = await readContent(store, sources, await placing('/', withoutNames(options)), options)
    return { ...inputs, sources: copying.read.content.digest }
  }
  return {
    verb: 'copy',
    said: `copy ${paths.join(' ')}`,
    inputs: options.from === undefined ? [bySources] : [() => byOrigin(store, options, paths, inputs), bySources],
    createdBy: (digest) => `/bin/sh -c #(nop) COPY ${digest} in ${paths.at(-1)}`,
    told: placeText('COPY', paths.slice(0, -1), destination),
  }
}

async function findAll(
  paths: readonly string[],
  context: string | undefined,
  options: CopyOptions,
): Promise<readonly Source[]> {
  const sources = paths.length > 1 ? paths.slice(0, -1) : paths
  if (sources.length > 0)
    return withoutIgnored(findSources(sources, context, 'copy'), sources, await contextRules(options), 'copy')
  const hint = 'write builder copy CONTAINER SOURCE… DESTINATION'
  throw new BuilderError('USAGE', { operation: 'copy', object: '', reason: 'no source is named', hint })
}

/** Each file goes to its own path, and each link says where it leads. */
async function closureSources(programs: readonly string[]): Promise<Source[]> {
  const { files, links } = await closureOf(programs)
  const paths = [...files, ...links.map(({ path }) => path)]
  return paths.map((path) => ({ path, name: path, isDirectory: false, fromTop: path }))
}

async function copyClosure(transplant: Transplant, programs: readonly string[]): Promise<void> {
  const { files, links } = await closureOf(programs)
  for (const { path, target } of links) transplant.link(target, path)
  for (const file of files) await transplant.file(file, file)
}
