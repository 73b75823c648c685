import { type Context, type ContextOptions, openContext } from '../../containerfile/context.js'
import { findContainerfile } from '../../containerfile/find-containerfile.js'
import type { Held } from '../../containerfile/held.js'
import { findIgnoreFile, type IgnoreFile } from '../../containerfile/ignore-file.js'
import type { BuildJob } from '../../containerfile/job.js'
import { findNamedContext, type NamedContext, namedContexts } from '../../containerfile/named-context.js'
import { type BuildPlan, planBuild } from '../../containerfile/plan.js'
import { platformsOf } from '../../containerfile/platforms.js'
import type { Containerfile } from '../../containerfile/syntax.js'
import { hostPlatform, type Platform } from '../../image/platform.js'
import type { Store } from '../../store/store.js'
import { namedFiles } from './contexts.js'
import { type PlanningOptions, readContainerfile } from './source.js'
import { argumentsOf } from './values.js'

/** What a build reads before it plans anything. */
export interface BuildInputs {
  readonly store: Store
  /** What is released when the build is over. */
  readonly held: Held
  readonly context: Context
  /** What of the context is left out. */
  readonly ignore?: IgnoreFile
  readonly file: Containerfile
  readonly contexts: ReadonlyMap<string, NamedContext>
  /** `--build-arg`, by name. */
  readonly given: ReadonlyMap<string, string>
  readonly options: PlanningOptions
  /** A named context by its name: opened when it is first used, and once. Undefined for a name that is none. */
  readonly named: BuildJob['named']
}

/** Opens the context, and reads the Containerfile and the values that it is given. Throws what that throws. */
export async function openInputs(
  store: Store,
  held: Held,
  where: string,
  options: PlanningOptions,
  operation: string,
): Promise<BuildInputs> {
  const contexts = namedContexts(options.buildContext)
  const given = argumentsOf(options)
  const opening: ContextOptions = { store, operation, ...(options.signal ? { signal: options.signal } : {}) }
  const context = held.use(await openContext(where, opening))
  const found = await findContainerfile(context, options.file, opening)
  const file = await readContainerfile(found, context, options)
  const ignore = await findIgnoreFile(context.path, found.path, options.ignorefile)
  const named = namedFiles({ store, held, contexts })
  return { store, held, context, file, contexts, given, options, named, ...(ignore ? { ignore } : {}) }
}

/** Plans a build for one platform. Throws `INVALID` and `NOT_FOUND`, with the place in the file. */
export function planFor({ file, contexts, given, options }: BuildInputs, platform: Platform): BuildPlan {
  return planBuild(file, {
    given,
    platform,
    buildPlatform: hostPlatform(),
    isContext: (name) => findNamedContext(contexts, name) !== undefined,
    isOneOfSeveral: platformsOf(options.platform).length > 1,
    all: options.skipUnusedStages === false,
    ...(options.target === undefined ? {} : { target: options.target }),
  })
}
