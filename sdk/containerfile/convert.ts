import { hostPlatform } from '../image/platform.js'
import { automaticArguments } from './arguments.js'
import { commentsOf } from './convert-comments.js'
import type { Recipe } from './convert-recipe.js'
import { convertStage } from './convert-stage.js'
import { Conversion } from './convert-whole.js'
import { parseContainerfile } from './parse.js'
import { planBuild } from './plan.js'
import type { SourceText } from './source-text.js'

/** How a Containerfile is converted. */
export interface ConvertOptions {
  /** A stage's name or number; the last one when absent. */
  readonly target?: string
  /** The ignore file of the context, as a path below it. */
  readonly ignorefile?: string
}

/**
 * Makes a recipe of a Containerfile: the verbs that give the same image. Values that are known only when it is built stay
 * variables. Throws `INVALID`, with the place, for what a recipe cannot say, and what parsing and planning throw.
 */
export function convertContainerfile(source: SourceText, options: ConvertOptions = {}): Recipe {
  const file = parseContainerfile(source)
  const platform = hostPlatform()
  const given = { given: new Map<string, string>(), platform, buildPlatform: platform }
  const plan = planBuild(file, { ...given, ...(options.target === undefined ? {} : { target: options.target }) })
  const comments = commentsOf(source, file)
  const conversion = new Conversion(file, comments)
  for (const [name, value] of automaticArguments(given)) conversion.automatic.set(name, value)
  for (const one of file.args) conversion.globalArgument(one)
  for (const stage of plan.stages) conversion.ends.set(stage.stage.index, convertStage(conversion, stage))
  const target = conversion.ends.get(plan.target.stage.index)?.container ?? ''
  const { statements } = conversion
  const usesContext = JSON.stringify(statements).includes('"place":"context"')
  return {
    source: source.files[0] ?? 'Containerfile',
    statements,
    variables: statements.flatMap((one) => (one.kind === 'argument' ? [one.given] : [])).filter(isFirst),
    hasContext: usesContext,
    ...(options.ignorefile !== undefined && usesContext ? { ignorefile: options.ignorefile } : {}),
    hasFiles: statements.some(({ kind }) => kind === 'file'),
    target,
    containers: [...conversion.ends.values()].map(({ container }) => container),
  }
}

const isFirst = <T>(one: T, i: number, all: readonly T[]) => all.indexOf(one) === i
