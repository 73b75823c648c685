import { availableParallelism } from 'node:os'
import { type Context, openContext } from '../containerfile/context.js'
import { executeBuild } from '../containerfile/execute.js'
import { findContainerfile } from '../containerfile/find-containerfile.js'
import { Held } from '../containerfile/held.js'
import type { BuildJob, ContextFiles, NamedFiles } from '../containerfile/job.js'
import { iidText, metadataText } from '../containerfile/metadata.js'
import { findNamedContext, type NamedContext, namedContexts } from '../containerfile/named-context.js'
import { outputNames, parseOutputs, writesToStdout } from '../containerfile/output.js'
import { planBuild } from '../containerfile/plan.js'
import { platformsOf } from '../containerfile/platforms.js'
import type { Containerfile, Stage } from '../containerfile/syntax.js'
import { formatPlatform, hostPlatform, type Platform } from '../image/platform.js'
import { localName } from '../image/reference.js'
import { combine } from '../store/combine.js'
import type { Image } from '../store/images.js'
import { isList } from '../store/read-list.js'
import { openStore, type Store } from '../store/store.js'
import { finishImage } from './build-finish.js'
import type { BuildOptions, BuildResult } from './build-options.js'
import type { BuildProgress } from './build-progress.js'
import { runInputs } from './build-run-options.js'
import { openShell } from './build-shell.js'
import { readContainerfile } from './build-source.js'
import { argumentsOf, environmentOf } from './build-values.js'
import { watchBuild } from './build-watch.js'
import { workshopOf } from './build-workshop.js'
import { epochOf } from './epoch.js'
import type { GlobalOptions } from './global.js'
import { reapContainers, reapRuns } from './reap.js'
import { writeResult } from './result-file.js'
import { writeOutput } from './write-output.js'

export type { BuildOptions, BuildResult } from './build-options.js'

/**
 * Builds an image from a Containerfile.
 *
 * Stages that do not need each other are built at the same time, and those that nothing needs not at all. Every step makes
 * a layer, which the next build takes from the cache when nothing that decides the step has changed: the files that a COPY
 * reads count by their content, not by their times. With `SOURCE_DATE_EPOCH` (or --timestamp) set, the same input gives the
 * same image ID on every machine.
 *
 * Throws `RUN` for a command that fails, with its exit code; `INVALID` for a mistake in the file, with its place;
 * `NOT_FOUND` for a stage, an image or a file that is not there; `ABORTED`, and what the verbs throw.
 *
 * @verb
 * @alias bud
 * @where inside
 * @stdout The image's ID.
 * @param context - Folder that COPY and ADD take files from; an archive; - for one on standard input; a git address. Default: here.
 * @example
 * ```sh
 * builder build -t web .
 * ```
 * @example
 * ```ts
 * import { build } from 'builder-sdk'
 * const { id } = await build('.', { tag: ['web'], buildArg: ['VERSION=1.2'] })
 * ```
 */
export async function build(context = '.', options: BuildOptions = {}): Promise<BuildResult> {
  return watchBuild(options, (progress) => buildWatched(context, options, progress))
}

async function buildWatched(context: string, options: BuildOptions, progress: BuildProgress): Promise<BuildResult> {
  const epoch = epochOf(options, 'build')
  const outputs = parseOutputs(options.output)
  const names = [...(options.tag ?? []), ...outputNames(outputs)].map(localName)
  const platforms = platformsOf(options.platform)
  const store = await openStore(options)
  await using held = new Held()
  await reapRuns(store)
  await reapContainers(store)
  const opening = { store, ...(options.signal ? { signal: options.signal } : {}) }
  const files = held.use(await openContext(context, opening))
  const found = await findContainerfile(files, options.file, opening)
  const file = await readContainerfile(found, files, options)
  const inputs: Inputs = { store, held, files, file, options, epoch, progress }
  const several = platforms.length > 1
  const images: Image[] = []
  for (const platform of platforms) images.push(await buildOne(inputs, platform, several ? [] : names))
  const [first] = images
  if (!first) throw new TypeError('there is a platform')
  const built = several ? await combine(store, images, names) : first
  for (const output of outputs) await writeOutput(store, { built, images, names }, output, hereOf(store, options))
  const digest = isList(built) ? built.digest : built.manifestDigest
  if (options.iidfile) await writeResult(options.iidfile, iidText(built))
  if (options.metadataFile) await writeResult(options.metadataFile, metadataText(built, names, images))
  return { id: built.id, names, digest }
}

/** What the shell door prints. */
export function present({ id }: BuildResult, { output }: BuildOptions): string {
  return writesToStdout(parseOutputs(output)) ? '' : id
}

interface Inputs {
  readonly store: Store
  readonly held: Held
  readonly files: Context
  readonly file: Containerfile
  readonly options: BuildOptions
  readonly epoch: number | undefined
  readonly progress: BuildProgress
}

async function buildOne(inputs: Inputs, platform: Platform, names: readonly string[]): Promise<Image> {
  const { store, file, options, epoch, progress } = inputs
  const given = argumentsOf(options)
  const contexts = namedContexts(options.buildContext)
  const named = (name: string) => findNamedContext(contexts, name)
  const plan = planBuild(file, {
    given,
    platform,
    buildPlatform: hostPlatform(),
    isContext: (name) => named(name) !== undefined,
    ...(options.target === undefined ? {} : { target: options.target }),
  })
  const stopper = options.signal ?? new AbortController().signal
  const here = hereOf(store, options)
  const job: BuildJob = {
    ...{
      store,
      plan,
      given,
      platform,
      buildPlatform: hostPlatform(),
      stages: file.stages,
      tell: progress.note,
      signal: stopper,
    },
    workshop: workshopOf(store, options, epoch),
    context: async () => contextFiles(inputs),
    named: (name) => openNamed(inputs, named(name)),
    layers: options.layers ?? true,
    mayHit: mayHit(options),
    jobs: options.jobs ?? Math.max(4, availableParallelism()),
    format: options.format ?? 'oci',
    runInputs: runInputs(options),
    env: environmentOf(options),
    ...(epoch === undefined ? {} : { epoch }),
    ...(options.onFailure === 'shell' ? { onFailure: (failed, error) => openShell(inputs, failed, error, here) } : {}),
  }
  const image = await executeBuild(job, (end) => finishImage(store, end, { options, names, epoch, here }))
  const told = { id: image.id, names, platform: formatPlatform(platform) }
  progress.note({ type: 'image', time: Date.now(), ...told })
  return image
}

function contextFiles({ files, options }: Inputs): ContextFiles {
  return { path: files.path, ...(options.ignorefile === undefined ? {} : { ignorefile: options.ignorefile }) }
}

const opened = new WeakMap<Held, Map<string, Promise<NamedFiles>>>()

/** A named context is opened when it is first used, and once. */
function openNamed(inputs: Inputs, context: NamedContext | undefined): Promise<NamedFiles> | undefined {
  if (!context) return undefined
  if (context.kind === 'image') return Promise.resolve({ kind: 'image', name: context.image })
  const { held, store, options } = inputs
  const known = opened.get(held) ?? new Map<string, Promise<NamedFiles>>()
  opened.set(held, known)
  const open = async (): Promise<NamedFiles> => {
    const signal = options.signal ? { signal: options.signal } : {}
    const { path } = held.use(await openContext(context.where, { store, ...signal }))
    return { kind: 'files', path }
  }
  const files = known.get(context.name) ?? open()
  known.set(context.name, files)
  return files
}

function mayHit({ noCache = false, noCacheFilter = [] }: BuildOptions): (stage: Stage) => boolean {
  const without = new Set(noCacheFilter.flatMap((text) => text.toLowerCase().split(',')))
  return ({ name, index }) => !noCache && !without.has(`${index}`) && !(name !== undefined && without.has(name))
}

function hereOf({ root, runroot, driver }: Store, { signal }: BuildOptions): GlobalOptions {
  return { root, runroot, ...(driver ? { storageDriver: driver } : {}), ...(signal ? { signal } : {}) }
}
