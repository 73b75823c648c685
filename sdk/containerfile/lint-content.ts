import { posix } from 'node:path'
import { baseOf, type Finding, type LintOptions } from './finding.js'
import type { Containerfile, Instruction, Stage } from './syntax.js'

/** Rules about what instructions say, variables aside. */
export function lintContent(file: Containerfile, options: LintOptions): readonly Finding[] {
  return file.stages.flatMap((stage) => [
    ...stage.instructions.flatMap((instruction) => [
      ...deprecated(instruction),
      ...secrets(instruction),
      ...ignored(instruction, options),
    ]),
    ...onlyLastCounts(stage),
    ...jsonCommands(stage, file.stages),
  ])
}

function deprecated(at: Instruction): readonly Finding[] {
  if (at.instruction === 'MAINTAINER') {
    const message = 'Maintainer instruction is deprecated in favor of using label'
    return [{ rule: 'MaintainerDeprecated', message, at }]
  }
  if (at.instruction !== 'ENV' && at.instruction !== 'LABEL') return []
  const [, word = '', first = ''] = /^(\S+)\s+(\S+)/.exec(at.original) ?? []
  const [pair] = at.pairs
  if (at.pairs.length > 1 || first.includes('=') || first !== pair?.name) return []
  const message = `"${word} key=value" should be used instead of legacy "${word} key value" format`
  return [{ rule: 'LegacyKeyValueFormat', message, at }]
}

/** A name that says secret: a value in ARG or ENV is seen in the image's history. */
function secrets(at: Instruction): readonly Finding[] {
  if (at.instruction !== 'ENV' && at.instruction !== 'ARG') return []
  const names = 'pairs' in at ? at.pairs.map(({ name }) => name) : at.args.map(({ name }) => name)
  return names
    .filter((name) => secretWord.test(name) && !harmlessWord.test(name))
    .map((name) => ({
      rule: 'SecretsUsedInArgOrEnv',
      message: `Do not use ARG or ENV instructions for sensitive data (${at.instruction} "${name}")`,
      at,
    }))
}

const secretWord = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i
const harmlessWord = /(?:_|^)(?:public|file|version)(?:_|$)/i

/** What brings files back with `!` is not judged: a folder may be left out of which a file is not. */
function ignored(at: Instruction, { ignoreRules }: LintOptions): readonly Finding[] {
  if (!ignoreRules || ignoreRules.mayComeBack) return []
  if ((at.instruction !== 'COPY' && at.instruction !== 'ADD') || at.from !== undefined) return []
  return at.sources
    .filter((source) => !/^<<|^[a-z]+:\/\/|^git@|\$/i.test(source))
    .map((source) => posix.normalize(`/${source}`).replace(/^\/|\/$/g, ''))
    .filter((path) => (path === '' ? ignoreRules.leavesNothing : ignoreRules.ignores(path)))
    .map((path) => {
      const verb = at.instruction === 'ADD' ? 'Add' : 'Copy'
      const message = `Attempting to ${verb} file "${path || '.'}" that is excluded by the ignore file`
      return { rule: 'CopyIgnoredFile', message, at }
    })
}

/** The earlier ones are told, for they have no effect. */
function onlyLastCounts({ instructions }: Stage): readonly Finding[] {
  return ['CMD', 'ENTRYPOINT', 'HEALTHCHECK'].flatMap((name) =>
    instructions
      .filter(({ instruction }) => instruction === name)
      .slice(0, -1)
      .map((at) => ({
        rule: 'MultipleInstructionsDisallowed',
        message: `Multiple ${name} instructions should not be used in the same stage because only the last one will be used`,
        at,
      })),
  )
}

/** A shell form's shell gets the signals; who chose a shell with SHELL wants it. */
function jsonCommands(stage: Stage, stages: readonly Stage[]): readonly Finding[] {
  let hasShell = setsShell(baseOf(stage, stages), stages)
  return stage.instructions.flatMap((at) => {
    hasShell ||= at.instruction === 'SHELL'
    if ((at.instruction !== 'CMD' && at.instruction !== 'ENTRYPOINT') || at.command.form === 'exec' || hasShell)
      return []
    const why = 'to prevent unintended behavior related to OS signals'
    return [{ rule: 'JSONArgsRecommended', message: `JSON arguments recommended for ${at.instruction} ${why}`, at }]
  })
}

function setsShell(stage: Stage | undefined, stages: readonly Stage[]): boolean {
  for (let one = stage; one; one = baseOf(one, stages))
    if (one.instructions.some(({ instruction }) => instruction === 'SHELL')) return true
  return false
}
