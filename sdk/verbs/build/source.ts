import type { Context } from '../../containerfile/context.js'
import type { FoundContainerfile } from '../../containerfile/find-containerfile.js'
import { parseContainerfile } from '../../containerfile/parse.js'
import { plainSource } from '../../containerfile/source-text.js'
import type { Containerfile } from '../../containerfile/syntax.js'
import { BuilderError } from '../../errors.js'
import type { GlobalOptions } from '../global.js'

/** Options of the preprocessor: `build`, `plan` and `preprocess` share them. */
export interface PreprocessorOptions {
  /**
   * Preprocess the Containerfile, which a name that ends in .in asks for by itself: #include, #define, #if and the like.
   * `traditional` does what `cpp -E -traditional -undef` does.
   */
  cpp?: boolean | 'traditional'
  /**
   * Flag for the preprocessor: -DNAME[=TEXT], -UNAME or -IFOLDER.
   * @placeholder FLAG
   */
  cppFlag?: readonly string[]
  /**
   * Define a macro for the preprocessor.
   * @short D
   * @placeholder NAME[=TEXT]
   */
  define?: readonly string[]
  /**
   * Undefine a macro.
   * @short U
   * @placeholder NAME
   */
  undefine?: readonly string[]
  /**
   * Folder that the preprocessor finds #include files in, beside the including file's and the context.
   * @short I
   * @placeholder FOLDER
   */
  includePath?: readonly string[]
}

/** Options that say what is built: `build` and `plan` share them. */
export interface PlanningOptions extends GlobalOptions, PreprocessorOptions {
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
   * Named context for FROM, COPY --from and RUN --mount: a folder, docker-image://NAME, oci-layout://PATH, an address, or
   * closure:PROGRAM,PROGRAM for programs of this machine with the files that they need.
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
export async function readContainerfile(
  found: FoundContainerfile,
  context: Context,
  options: PlanningOptions,
): Promise<Containerfile> {
  const { text, name, path } = found
  const isAsked = options.cpp ?? (name.endsWith('.in') || hasFlags(options))
  if (!isAsked) return parseContainerfile(plainSource(text, name))
  // WebAssembly takes its time to load.
  const { preprocessContainerfile } = await import('../../containerfile/preprocess.js')
  const { defines, undefines, includePaths } = preprocessorFlags(options)
  const source = preprocessContainerfile(text, {
    file: name,
    ...{ defines, undefines, includePaths },
    mode: options.cpp === 'traditional' ? 'traditional' : 'containerfile',
    ...(path === undefined ? { isNoFile: true } : { path }),
    ...(context.containerfile === undefined ? { context: context.path } : {}),
  })
  return parseContainerfile(source)
}

function hasFlags({ cppFlag = [], define = [], undefine = [], includePath = [] }: PlanningOptions): boolean {
  return [cppFlag, define, undefine, includePath].some((list) => list.length > 0)
}

/** buildah gives the flags to cpp as they are; here only those that mean something for a Containerfile. */
export function preprocessorFlags({ cppFlag = [], define = [], undefine = [], includePath = [] }: PreprocessorOptions) {
  const flags = cppFlag.flatMap((text) => text.split(/\s+/)).filter((word) => word !== '')
  const all = { defines: [...define], undefines: [...undefine], includePaths: [...includePath] }
  for (let i = 0; i < flags.length; i++) {
    const [, letter = '', own = ''] = /^-([DUI])(.*)$/s.exec(flags[i] as string) ?? []
    const value = own === '' ? flags[++i] : own
    if (letter === '' || value === undefined) throw unknownFlag(flags[i] ?? flags.at(-1) ?? '')
    all[letter === 'D' ? 'defines' : letter === 'U' ? 'undefines' : 'includePaths'].push(value)
  }
  return all
}

function unknownFlag(object: string): BuilderError {
  const hint = 'write -DNAME, -DNAME=TEXT, -UNAME or -IFOLDER'
  return new BuilderError('USAGE', {
    operation: 'build --cpp-flag',
    object,
    reason: 'the preprocessor does not know it',
    hint,
  })
}
