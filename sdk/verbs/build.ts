import { Commits } from '../containerfile/commits.js'
import { executeBuild } from '../containerfile/execute.js'
import { Held } from '../containerfile/held.js'
import { formatWarnings } from '../containerfile/lint.js'
import { iidText, metadataText } from '../containerfile/metadata.js'
import { type BuildOutput, outputNames, parseOutputs, writesToStdout } from '../containerfile/output.js'
import { platformsOf } from '../containerfile/platforms.js'
import { formatPlatform, type Platform } from '../image/platform.js'
import { localName } from '../image/reference.js'
import { parseSecret } from '../runtime/secret.js'
import { combine } from '../store/combine.js'
import type { Image } from '../store/images.js'
import { addToList } from '../store/lists.js'
import { isList } from '../store/read-list.js'
import { openStore, type Store } from '../store/store.js'
import { openCaches } from './build/cache.js'
import { checkFile } from './build/check.js'
import { checkEarly } from './build/early.js'
import { finishImage } from './build/finish.js'
import { openInputs, planFor } from './build/inputs.js'
import { type Building, hereOf, jobFor, jobsOf } from './build/job.js'
import type { BuildOptions, BuildResult } from './build/options.js'
import type { BuildProgress } from './build/progress.js'
import { watchBuild } from './build/watch.js'
import { epochOf } from './epoch.js'
import { writeResult } from './result-file.js'
import { reapContainers, reapRuns } from './run/reap.js'
import type { OutputOptions } from './write-output.js'

export type { BuildOptions, BuildResult } from './build/options.js'

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
  if (options.manifest !== undefined) localName(options.manifest)
  for (const secret of options.secret ?? []) parseSecret(secret)
  await checkEarly(options, outputs)
  const platforms = platformsOf(options.platform)
  const store = await openStore(options)
  await using held = new Held()
  const inputs = await openInputs(store, held, context, options, 'build')
  await using cache = await openCaches(store, options, progress)
  const shared = { progress, cache, jobs: jobsOf(options), commits: new Commits() }
  const building: Building = { ...inputs, ...shared, options, epoch }
  const checked = await checkFile(building)
  if (options.check) return { id: '', names: [], digest: '', ...checked }
  await reapRuns(store)
  await reapContainers(store)
  const images = await buildAll(building, platforms, names)
  const finished = await finish(building, images, names, outputs)
  await cache.write()
  return { ...finished, warnings: checked.warnings }
}

/** What the shell door prints. */
export function present({ id, warnings }: BuildResult, { output, check }: BuildOptions): string {
  if (check) return warnings.length === 0 ? 'no warnings found' : formatWarnings(warnings)
  return writesToStdout(parseOutputs(output)) ? '' : id
}

/** All platforms at the same time; the first that fails stops the others. A list of several gets the names. */
async function buildAll(
  building: Building,
  platforms: readonly Platform[],
  names: readonly string[],
): Promise<readonly Image[]> {
  const stopper = new AbortController()
  const { options } = building
  const signal = options.signal ? AbortSignal.any([options.signal, stopper.signal]) : stopper.signal
  const one = { ...building, options: { ...options, signal } }
  const all = platforms.map((platform) => buildOne(one, platform, platforms.length > 1 ? [] : names))
  try {
    return await Promise.all(all)
  } catch (error) {
    stopper.abort(error)
    await Promise.allSettled(all)
    throw error
  }
}

async function buildOne(building: Building, platform: Platform, names: readonly string[]): Promise<Image> {
  const { store, options, epoch, progress } = building
  const job = jobFor(building, planFor(building, platform), platform)
  const finishing = { options, names, epoch, here: hereOf(store, options) }
  const image = await executeBuild(job, (end) => finishImage(store, end, finishing))
  const told = { id: image.id, names, platform: formatPlatform(platform) }
  progress.note({ type: 'image', time: Date.now(), ...told })
  return image
}

/** What happens with the images: the list of several, files that tell of them, outputs. */
async function finish(
  { store, options }: Building,
  images: readonly Image[],
  names: readonly string[],
  outputs: readonly BuildOutput[],
): Promise<Omit<BuildResult, 'warnings'>> {
  const [first] = images
  if (!first) throw new TypeError('a build is for one platform at least')
  const built = images.length > 1 ? await combine(store, images, names) : first
  if (options.manifest !== undefined)
    for (const image of images) await addToList(store, options.manifest, image, 'build --manifest')
  if (outputs.length > 0) {
    // It brings every transport along.
    const { writeOutput } = await import('./write-output.js')
    for (const output of outputs) await writeOutput(store, { built, images, names }, output, reaching(store, options))
  }
  if (options.iidfile) await writeResult(options.iidfile, iidText(built))
  if (options.metadataFile) await writeResult(options.metadataFile, metadataText(built, names, images))
  return { id: built.id, names, digest: isList(built) ? built.digest : built.manifestDigest }
}

/** How outputs reach registries. The build's own display has the terminal. */
function reaching(store: Store, options: BuildOptions): OutputOptions {
  const { authfile, creds, tlsVerify, certDir, registriesConf, registriesConfDir, shortNameAliasConf } = options
  const all = { authfile, creds, tlsVerify, certDir, registriesConf, registriesConfDir, shortNameAliasConf }
  const given = Object.entries(all).filter(([, value]) => value !== undefined)
  return { ...hereOf(store, options), ...Object.fromEntries(given), quiet: true }
}
