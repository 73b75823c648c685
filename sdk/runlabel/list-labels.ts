import { BuilderError } from '../errors.js'
import type { Ask } from './ask.js'
import { labelCommand } from './command.js'
import { judge } from './judge.js'
import { onOneLine, visible } from './show.js'
import { substitute } from './substitute.js'
import { labelValues, type ValueSources } from './values.js'
import { splitLabel } from './words.js'

/** A label that is a command, and what it would ask for. */
export interface RunLabel {
  /** As the image spells it. */
  readonly name: string
  /** As it is written. */
  readonly text: string
  /** Its words, with values. */
  readonly argv: readonly string[]
  readonly asks: readonly Ask[]
  /** Why it could not be carried out. */
  readonly problem?: string
}

/** The labels of an image that are commands, by name: those with a name of atomic's, and those that begin with an engine. */
export function listRunLabels(
  labels: Readonly<Record<string, string>>,
  values: ValueSources,
  isRoot: boolean,
): readonly RunLabel[] {
  return Object.entries(labels)
    .filter(
      ([name, text]) => /^(un)?install$|^run$|^stop$/i.test(name) || /^\s*(\S*\/)?(podman|docker|builder)\s/.test(text),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => judged(name, text, values, isRoot))
}

/** As a terminal may show them. */
export function formatRunLabels(labels: readonly RunLabel[]): string {
  if (labels.length === 0) return 'no run labels'
  return labels.map(described).join('\n')
}

function judged(name: string, text: string, values: ValueSources, isRoot: boolean): RunLabel {
  try {
    const words = substitute(splitLabel(text), labelValues(values))
    const image = { name: values.image, pinned: values.image }
    const { judgeable } = labelCommand({ words, args: [], engine: 'builder', image, replace: false })
    return { name, text, argv: words.map((word) => word.text), asks: judge(judgeable, { isRoot, cwd: values.cwd }) }
  } catch (error) {
    if (!(error instanceof BuilderError)) throw error
    const hint = error.hint === undefined ? '' : `; ${error.hint}`
    return {
      name,
      text,
      argv: [],
      asks: [],
      problem: `${error.object ? `${error.object}: ` : ''}${error.reason}${hint}`,
    }
  }
}

function described({ name, text, argv, asks, problem }: RunLabel): string {
  if (problem !== undefined) return `${visible(name)}: ${visible(text)}\n  cannot be carried out: ${visible(problem)}`
  const lines = asks.length === 0 ? ['nothing but a container of its own'] : asks.map((one) => visible(one.text))
  return [`${visible(name)}: ${onOneLine(argv)}`, '  asks for:', ...lines.map((line) => `  - ${line}`)].join('\n')
}
