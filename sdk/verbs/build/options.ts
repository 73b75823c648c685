import type { Warning } from '../../containerfile/syntax.js'
import type { RegistryOptions } from '../../transport/registry/access.js'
import type { RunSettings } from '../run/options.js'
import type { BuildProgressOptions } from './progress.js'
import type { PlanningOptions } from './source.js'

/** Options of {@link build}. */
export interface BuildOptions extends PlanningOptions, RegistryOptions, BuildProgressOptions, RunSettings {
  /**
   * Name of the image; may be given several times.
   * @short t
   * @placeholder NAME
   */
  tag?: readonly string[]
  /**
   * Steps that are executed at the same time. Default: as many as the machine has cores, at least 4.
   * @placeholder NUMBER
   */
  jobs?: number
  /**
   * Write the image's ID to a file.
   * @placeholder FILE
   */
  iidfile?: string
  /**
   * Write what is known of the image to a file, as JSON with docker's keys.
   * @placeholder FILE
   */
  metadataFile?: string
  /** Make one layer of all layers, those of the base image too. */
  squash?: boolean
  /**
   * Make a layer of each step and keep it, for the next build to take it from there. `--layers=false` makes one layer of
   * a stage's changes and leaves the cache alone: the image is the one that the verbs from, run, copy, config and commit give.
   * @default `true`
   */
  layers?: boolean
  /** Execute every step, also what was executed before. */
  noCache?: boolean
  /**
   * Execute every step of a stage, by name or number.
   * @placeholder STAGE
   */
  noCacheFilter?: readonly string[]
  /**
   * Take steps that this store has not from a cache that --cache-to wrote: transport:path, or a name in a registry.
   * @placeholder CACHE
   */
  cacheFrom?: readonly string[]
  /**
   * Write the steps of this build, with their layers, as an image: to transport:path, or a name in a registry.
   * @placeholder CACHE
   */
  cacheTo?: readonly string[]
  /**
   * When to ask a registry for a base image, as `pull --policy`; alone it means newer, and absent missing.
   */
  pull?: boolean | 'always' | 'missing' | 'never' | 'newer'
  /**
   * Label of the image.
   * @placeholder NAME=VALUE
   */
  label?: readonly string[]
  /**
   * Annotation of the image's manifest.
   * @placeholder NAME=VALUE
   */
  annotation?: readonly string[]
  /**
   * Environment variable of every stage and of the image: NAME=value, or NAME (taken from here).
   * @placeholder NAME=VALUE
   */
  env?: readonly string[]
  /**
   * Remove an environment variable from the image.
   * @placeholder NAME
   */
  unsetenv?: readonly string[]
  /**
   * Remove a label that the base image has.
   * @placeholder NAME
   */
  unsetlabel?: readonly string[]
  /** Form of the image's manifest. */
  format?: 'oci' | 'docker'
  /**
   * Time of the image, in seconds since 1970; files newer than that get it too. Same as --source-date-epoch.
   * @placeholder SECONDS
   */
  timestamp?: number
  /**
   * Time of the image, in seconds since 1970; files newer than that get it too. Default: `SOURCE_DATE_EPOCH`.
   * @placeholder SECONDS
   */
  sourceDateEpoch?: number
  /** Accepted for buildah's scripts: builder always clamps file times to the image's time when one is given. */
  rewriteTimestamp?: boolean
  /**
   * Where the result goes beside the store: type=local,dest=DIR, type=tar,dest=FILE, type=oci,dest=FILE and the like.
   * @short o
   * @placeholder OUTPUT
   */
  output?: readonly string[]
  /**
   * Add the image to a list of images, which is made when it is not there.
   * @placeholder LIST
   */
  manifest?: string
  /** Leave the history out of the image. */
  omitHistory?: boolean
  /** Say of every step whether it was in the cache, and if not, what differs from the nearest one that is. */
  explain?: boolean
  /** Build nothing: say what should be better in the file. Exit code 1 where the file says that findings are errors. */
  check?: boolean
  /** Accepted for buildah's scripts: builder's build leaves no containers. */
  rm?: boolean
  /** Accepted for buildah's scripts: builder's build leaves no containers. */
  forceRm?: boolean
}

/** A built image. */
export interface BuildResult {
  /** 64 hexadecimal digits: the config's digest; of several platforms the digest of their list. */
  readonly id: string
  /** Full names in the store. */
  readonly names: readonly string[]
  /** Digest of the manifest, or of the list. */
  readonly digest: string
  /** What should be better in the file. */
  readonly warnings: readonly Warning[]
  /** Of `check`: 1 when findings are errors. */
  readonly exitCode?: number
}
