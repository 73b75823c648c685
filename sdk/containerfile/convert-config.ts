import type { Option, Statement } from './convert-recipe.js'
import type { StageScope } from './convert-scope.js'
import { type Part, plainText, text, type Value } from './convert-value.js'
import { type ConfigInstruction, evaluateConfig } from './evaluate-config.js'
import { errorAt } from './point-at.js'
import type { Situation } from './situation.js'
import type { AssignInstruction, HealthcheckInstruction, Position } from './syntax.js'

/** What of a stage is known while its lines are converted. */
export interface Known {
  readonly scope: StageScope
  /** For what needs no variables: SHELL, and whether there was a CMD. */
  readonly situation: Situation
}

/** Converts an instruction that changes the configuration alone. Throws `INVALID`, with the place. */
export function convertConfig(instruction: ConfigInstruction, known: Known): readonly Statement[] {
  const options = optionsOf(instruction, known)
  return [{ kind: 'call', verb: 'config', container: known.scope.container, options, words: [] }]
}

function optionsOf(instruction: ConfigInstruction, known: Known): readonly Option[] {
  const { scope } = known
  const { position } = instruction
  switch (instruction.instruction) {
    case 'ENV':
      return envOf(instruction, scope)
    case 'LABEL':
      return [
        list(
          'label',
          instruction.pairs.map(({ name, value }) => [
            ...scope.value(name, position),
            ...text('='),
            ...scope.value(value, position),
          ]),
        ),
      ]
    case 'CMD':
      return [{ name: 'cmd', kind: 'words', words: evaluated(instruction, known).Cmd ?? [] }]
    case 'ENTRYPOINT': {
      const entrypoint: Option = {
        name: 'entrypoint',
        kind: 'words',
        words: evaluated(instruction, known).Entrypoint ?? [],
      }
      // What the base image says of CMD was for its own entry point.
      return known.situation.hasCommand ? [entrypoint] : [entrypoint, { name: 'cmd', kind: 'words', words: [] }]
    }
    case 'SHELL':
      return [{ name: 'shell', kind: 'words', words: instruction.words }]
    case 'EXPOSE':
      return [
        list(
          'port',
          instruction.values.flatMap((value) => portsOf(scope.value(value, position), known, position)),
        ),
      ]
    case 'VOLUME':
      return [
        list(
          'volume',
          instruction.values.map((value) => scope.value(value, position)),
        ),
      ]
    case 'USER':
      return [one('user', scope.value(instruction.value, position))]
    case 'STOPSIGNAL':
      return [one('stopSignal', scope.value(instruction.value, position))]
    case 'ONBUILD':
      return [list('onbuild', [text(instruction.value)])]
    case 'MAINTAINER':
      return [one('author', text(instruction.value))]
    case 'HEALTHCHECK':
      return healthcheck(instruction, known)
    case 'WORKDIR':
      throw new TypeError('WORKDIR is a verb of its own')
  }
}

function one(name: string, value: Value): Option {
  return { name, kind: 'one', value }
}

function list(name: string, values: readonly Value[]): Option {
  return { name, kind: 'list', values }
}

/**
 * All values are those from before the line. `config --env` itself knows the container's variables, as PATH; but where a value
 * may have another $ in it, none is replaced.
 */
function envOf({ pairs, position }: AssignInstruction, scope: StageScope): readonly Option[] {
  const isLiteral = pairs.some(({ value }) => scope.envValue(value, position).some(mayHaveDollar))
  const read = pairs.map(({ name, value }) => ({
    name: plainText(scope.value(name, position)),
    value: isLiteral ? scope.value(value, position) : scope.envValue(value, position),
  }))
  const values = read.map(({ name, value }) => {
    if (name === undefined) throw cannot(position, 'an ENV whose name is a variable')
    scope.setEnv(name, value)
    return [...text(`${name}=`), ...value]
  })
  return [...(isLiteral ? [{ name: 'expand', kind: 'flag', value: false } as const] : []), list('env', values)]
}

function mayHaveDollar(part: Part): boolean {
  return part.kind === 'variable' || (part.kind === 'text' && /\$[A-Za-z_{]/.test(part.text))
}

/** The commands of a configuration have no variables of the file in them: they are the shell's. */
function evaluated(instruction: ConfigInstruction, { situation }: Known) {
  return evaluateConfig(instruction, situation).changes
}

function portsOf(value: Value, known: Known, position: Position): readonly Value[] {
  const plain = plainText(value)
  if (plain === undefined) {
    const hasProtocol = value.some((part) => part.kind === 'text' && part.text.includes('/'))
    return [hasProtocol ? value : [...value, ...text('/tcp')]]
  }
  const instruction = { instruction: 'EXPOSE', values: plain.split(/\s+/), position, original: '' } as const
  const fresh = { ...known.situation, config: { ...known.situation.config, config: {} } }
  return Object.keys(evaluateConfig(instruction, fresh).changes.ExposedPorts ?? {}).map(text)
}

const durations = [
  ['interval', 'healthcheckInterval'],
  ['timeout', 'healthcheckTimeout'],
  ['startPeriod', 'healthcheckStartPeriod'],
  ['startInterval', 'healthcheckStartInterval'],
] as const

function healthcheck(instruction: HealthcheckInstruction, known: Known): readonly Option[] {
  const { Healthcheck } = evaluated(instruction, known)
  const test = Healthcheck?.Test ?? ['NONE']
  const times = durations.flatMap(([key, name]): Option[] => {
    const given = instruction[key]
    return given !== undefined && /[1-9]/.test(given) ? [one(name, text(given))] : []
  })
  const retries: Option[] =
    instruction.retries === undefined
      ? []
      : [{ name: 'healthcheckRetries', kind: 'number', value: `${Number(instruction.retries)}` }]
  return [one('healthcheck', text(test[0] === 'NONE' ? 'NONE' : JSON.stringify(test))), ...times, ...retries]
}

/** The error for what a recipe cannot say. */
export function cannot(position: Position, what: string) {
  return errorAt(position, {
    operation: 'convert',
    reason: `${what} cannot be converted`,
    hint: 'build it with builder build',
  })
}
