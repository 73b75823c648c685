import { readText } from '../containerfile/context-file.js'
import { placeOf } from '../containerfile/point-at.js'
import { preprocessContainerfile } from '../containerfile/preprocess.js'
import type { Warning } from '../containerfile/syntax.js'
import { caller } from '../namespace/caller.js'
import { type PreprocessorOptions, preprocessorFlags } from './build/source.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link preprocess}. */
export interface PreprocessOptions extends GlobalOptions, PreprocessorOptions {
  /**
   * The build's context, from which files may be included. Default: here.
   * @placeholder FOLDER
   */
  context?: string
  /** Only with --cpp=traditional: lines # 1 "file" that say where the text is from, as cpp writes them. */
  lineMarkers?: boolean
  /** Print JSON: the text, the files that were read, and for each part of the text where it was written. */
  map?: boolean
}

/** What came out of the preprocessor. */
export interface PreprocessResult {
  readonly text: string
  /** The files that were read, the Containerfile first. */
  readonly files: readonly string[]
  /** From line `first` of the text on, lines are those of `file` from `line` on; `included` are the #include lines that led there. */
  readonly map: readonly {
    readonly first: number
    readonly file: string
    readonly line: number
    readonly included: readonly { readonly file: string; readonly line: number }[]
  }[]
  readonly warnings: readonly Warning[]
}

/**
 * Prints what the preprocessor makes of a Containerfile: what `build` would parse.
 *
 * Files are included from the including file's folder, the context and the include paths, and from nowhere else.
 *
 * Throws `INVALID` for a mistake in a file, with its place; `NOT_FOUND` for an include that is not there, `UNSAFE` for one that is
 * somewhere else.
 *
 * @verb
 * @where outside
 * @stdout The text; JSON with --map.
 * @param file - The Containerfile; its name need not end in .in.
 * @example
 * ```sh
 * builder preprocess -D DEBUG Containerfile.in
 * ```
 * @example
 * ```ts
 * import { preprocess } from 'builder-sdk'
 * const { text, files } = await preprocess('Containerfile.in', { define: ['TAG=12'] })
 * console.log(files, text)
 * ```
 */
export async function preprocess(file: string, options: PreprocessOptions = {}): Promise<PreprocessResult> {
  const source = preprocessContainerfile(await readText(file, file, 'preprocess'), {
    file,
    context: options.context ?? '.',
    mode: options.cpp === 'traditional' ? 'traditional' : 'containerfile',
    lineMarkers: options.lineMarkers ?? false,
    ...preprocessorFlags(options),
  })
  for (const { message, position } of source.warnings)
    caller().say(`builder: warning: ${placeOf(position)}: ${message}\n`)
  const { text, files, map, warnings } = source
  return { text, files, map: map.parts, warnings }
}

/** What the shell door prints. */
export function present(result: PreprocessResult, options: PreprocessOptions): string {
  return options.map ? JSON.stringify(result, null, 2) : result.text.replace(/\n$/, '')
}
