import { checkOptions, skippedBy } from './check-options.js'
import type { LintOptions } from './finding.js'
import { lintContent } from './lint-content.js'
import { lintFrom } from './lint-from.js'
import { lintNames } from './lint-names.js'
import { lintVariables } from './lint-variables.js'
import { placeOf, pointAt } from './point-at.js'
import type { Containerfile, Warning } from './syntax.js'

/**
 * What should be better in a Containerfile, under the rule names that the Dockerfile frontend publishes ("Build checks"), in
 * the order of the file. `# check=skip=RULE` on top, or right in front of an instruction, leaves rules out; the experimental
 * rule needs `# check=experimental=…`. Whether findings are errors says {@link checkOptions}.
 *
 * @example
 * ```ts
 * import { lint } from './lint.js'
 * import { parseContainerfile } from './parse.js'
 * lint(parseContainerfile('FROM debian:12 AS Base\n')) // [{ rule: 'StageNameCasing', … }]
 * ```
 */
export function lint(file: Containerfile, options: LintOptions = {}): readonly Warning[] {
  const { skip, experimental } = checkOptions(file)
  const findings = [
    ...lintNames(file),
    ...lintFrom(file, options),
    ...lintContent(file, options),
    ...lintVariables(file, options),
  ]
  const found = findings
    .filter(({ rule, at }) => !has(skippedBy(at.comments, at.position), rule))
    .map(({ rule, message, at }): Warning => ({ rule, message, position: at.position }))
  return [...file.warnings, ...found]
    .filter(({ rule }) => (experimentalRules.has(rule) ? has(experimental, rule) : !has(skip, rule)))
    .map((warning, order) => ({ warning, order }))
    .sort((a, b) => inFile(a.warning) - inFile(b.warning) || a.order - b.order)
    .map(({ warning }) => warning)
}

/** Findings for people: place, rule and sentence on a line, then the line of the file. */
export function formatWarnings(warnings: readonly Warning[]): string {
  return warnings
    .map(({ rule, message, position }) => `${placeOf(position)}: ${rule}: ${message}\n${pointAt(position)}\n`)
    .join('')
}

const experimentalRules = new Set(['InvalidDefinitionDescription'])

function has(rules: ReadonlySet<string> | 'all', rule: string): boolean {
  return rules === 'all' || rules.has(rule)
}

/** An included file's lines stand where they were included. */
function inFile({ position }: Warning): number {
  return position.included?.at(-1)?.line ?? position.line
}
