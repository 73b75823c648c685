import type { Context } from '../containerfile/context.js'
import type { FoundContainerfile } from '../containerfile/find-containerfile.js'
import { parseContainerfile } from '../containerfile/parse.js'
import { plainSource } from '../containerfile/source-text.js'
import type { Containerfile } from '../containerfile/syntax.js'
import type { GlobalOptions } from './global.js'

/** Options that say what is built: `build` and `plan` share them. */
export interface PlanningOptions extends GlobalOptions {
  /**
   * The Containerfile; `-` is standard input. Default: Containerfile, Containerfile.in, Dockerfile or Dockerfile.in in the context.
   * @short f
   * @placeholder FILE
   */
  file?: string
  /**
   * Stage to build, by name or number. Default: the last one.
   * @placeholder STAGE
   */
  target?: string
  /**
   * Value of an ARG: NAME=value, or NAME (taken from here).
   * @placeholder NAME=VALUE
   */
  buildArg?: readonly string[]
  /**
   * File of values of ARGs, one NAME=value a line.
   * @placeholder FILE
   */
  buildArgFile?: readonly string[]
  /**
   * Named context for FROM, COPY --from and RUN --mount: a folder, docker-image://NAME, oci-layout://PATH, an address.
   * @placeholder NAME=VALUE
   */
  buildContext?: readonly string[]
  /**
   * Platform of the image, as os/arch[/variant]; several, with commas or given several times, make a list of images.
   * @placeholder PLATFORM
   */
  platform?: readonly string[]
  /**
   * File of patterns of what is left out of the context. Default: .containerignore or .dockerignore.
   * @placeholder FILE
   */
  ignorefile?: string
  /**
   * Leave out stages that the target does not need.
   * @default `true`
   */
  skipUnusedStages?: boolean
}

/** Parses a Containerfile, through the preprocessor where that is asked for. Throws `INVALID`, with the place. */
export function readContainerfile(
  { text, name }: FoundContainerfile,
  _context: Context,
  _options: PlanningOptions,
): Containerfile {
  return parseContainerfile(plainSource(text, name))
}
