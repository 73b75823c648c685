import { evaluateConfig, withExecution } from './evaluate-config.js'
import { evaluatePlace, type PlaceOutcome } from './evaluate-place.js'
import { evaluateRun, type RunOutcome } from './evaluate-run.js'
import { declare, expandIn } from './scope.js'
import { envOf, nop, type Situation } from './situation.js'
import type { Instruction } from './syntax.js'

/** What an instruction comes to. `by` is what the image's history says of it. */
export type Outcome =
  /** Only the configuration or the scope changes. */
  | { readonly kind: 'config'; readonly next: Situation; readonly by: string }
  | { readonly kind: 'workdir'; readonly next: Situation; readonly by: string; readonly path: string }
  | RunOutcome
  | PlaceOutcome

/** What an instruction that changes files comes to. */
export type FileOutcome = Exclude<Outcome, { readonly kind: 'config' }>

/**
 * Says what an instruction comes to, from it and what holds before it. Nothing is read and nothing is done.
 * Throws `INVALID` with the place in the file.
 */
export function evaluate(instruction: Instruction, situation: Situation): Outcome {
  const { config, scope } = situation
  const env = envOf(config)
  switch (instruction.instruction) {
    case 'ARG': {
      const next = { ...situation, scope: declare(scope, instruction, env) }
      const said = instruction.args.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`))
      return { kind: 'config', next, by: nop(`ARG ${said.join(' ')}`) }
    }
    case 'RUN':
      return evaluateRun(instruction, situation)
    case 'COPY':
    case 'ADD':
      return evaluatePlace(instruction, situation)
    case 'WORKDIR': {
      const given = expandIn(instruction.value, scope, instruction.position, env)
      const path = workdir(config.config?.WorkingDir ?? '/', given)
      const next = { ...situation, config: withExecution(config, { WorkingDir: path }) }
      return { kind: 'workdir', next, by: nop(`WORKDIR ${path}`), path }
    }
    default: {
      const { changes, said, author } = evaluateConfig(instruction, situation)
      const next = {
        ...situation,
        config: withExecution(author === undefined ? config : { ...config, author }, changes),
        hasCommand: situation.hasCommand || instruction.instruction === 'CMD',
      }
      return { kind: 'config', next, by: nop(said) }
    }
  }
}

/** Relative to the folder before it; `.` and `..` are worked out, a slash at the end goes. */
function workdir(before: string, given: string): string {
  const parts: string[] = []
  for (const part of (given.startsWith('/') ? given : `${before}/${given}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
