import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { convertContainerfile } from '../containerfile/convert.js'
import { shellRecipe } from '../containerfile/convert-shell.js'
import { findIgnoreFile } from '../containerfile/ignore-file.js'
import { preprocessContainerfile } from '../containerfile/preprocess.js'
import { plainSource, type SourceText } from '../containerfile/source-text.js'
import { asBuilderError, BuilderError } from '../errors.js'
import type { GlobalOptions } from './global.js'
import { writeResult } from './result-file.js'

/** Options of {@link convert}. */
export interface ConvertVerbOptions extends GlobalOptions {
  /**
   * Language of the recipe: a bash script, or a TypeScript module. Default: by the name of --output, else `sh`.
   */
  to?: 'sh' | 'ts'
  /**
   * Write the recipe to a file instead of standard output.
   * @short o
   * @placeholder FILE
   */
  output?: string
  /**
   * Stage that becomes the image, by name or number. Default: the last one.
   * @placeholder STAGE
   */
  target?: string
  /**
   * Folder of the build context, for includes and for its ignore file. Default: the Containerfile's.
   * @placeholder DIR
   */
  contextdir?: string
}

/**
 * Makes a recipe of a Containerfile: a script of builder's verbs that gives the same image ID.
 *
 * Comments stay where they stand, ARGs become variables of the environment, and a stage becomes a container. What a recipe
 * cannot say is an error with its place in the file.
 *
 * Throws `NOT_FOUND`, and `INVALID` with the place for mistakes in the file and for what cannot be converted.
 *
 * @verb
 * @where outside
 * @stdout The recipe, without --output.
 * @param file - The Containerfile; one whose name ends in .in is preprocessed first.
 * @example
 * ```sh
 * builder convert Containerfile -o recipe.sh
 * SOURCE_DATE_EPOCH=0 bash recipe.sh
 * ```
 * @example
 * ```ts
 * import { convert } from 'builder-sdk'
 * const { recipe } = await convert('Containerfile', { to: 'ts' })
 * ```
 */
export async function convert(file: string, options: ConvertVerbOptions = {}): Promise<ConvertResult> {
  const context = options.contextdir ?? dirname(file)
  const ignore = await findIgnoreFile(context, file)
  const recipe = convertContainerfile(sourceOf(file, context), {
    ...(options.target === undefined ? {} : { target: options.target }),
    ...(ignore ? { ignorefile: relative(context, ignore.path) } : {}),
  })
  const isModule = options.to === undefined ? /\.m?ts$/.test(options.output ?? '') : options.to === 'ts'
  const text = isModule ? await moduleText(recipe) : shellRecipe(recipe)
  if (options.output !== undefined) {
    await writeResult(options.output, text)
    if (!isModule) chmodSync(options.output, 0o755)
  }
  return { recipe: text }
}

/** A converted Containerfile. */
export interface ConvertResult {
  /** The recipe's text. */
  readonly recipe: string
}

/** What the shell door prints. */
export function present({ recipe }: ConvertResult, { output }: ConvertVerbOptions): string {
  return output === undefined ? recipe : ''
}

/** The TypeScript compiler that writes modules is big: it is loaded for them alone. */
async function moduleText(recipe: Parameters<typeof shellRecipe>[0]): Promise<string> {
  const { moduleRecipe } = await import('../containerfile/convert-module.js')
  return moduleRecipe(recipe)
}

function sourceOf(file: string, context: string): SourceText {
  if (!existsSync(file)) {
    const hint = 'name a Containerfile'
    throw new BuilderError('NOT_FOUND', { operation: 'convert', object: file, reason: 'there is no such file', hint })
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    if (!(error instanceof TypeError)) throw asBuilderError(error, 'convert', file)
    throw new BuilderError('INVALID', { operation: 'convert', object: file, reason: 'it is not text in UTF-8' })
  }
  return file.endsWith('.in') ? preprocessContainerfile(text, { file, context }) : plainSource(text, file)
}
