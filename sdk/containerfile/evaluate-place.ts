import type { BuilderError } from '../errors.js'
import { errorAt } from './point-at.js'
import { expandBody, expandIn } from './scope.js'
import { envOf, type Situation } from './situation.js'
import type { PlaceInstruction } from './syntax.js'

/** A COPY or ADD, worked out; its sources are not looked at yet. */
export interface PlaceOutcome {
  readonly kind: 'place'
  readonly verb: 'copy' | 'add'
  readonly sources: readonly string[]
  /** Absolute; with a slash at the end when it means a folder. */
  readonly destination: string
  readonly files: readonly { readonly name: string; readonly content: string }[]
  readonly from?: string
  readonly chown?: string
  readonly chmod?: string
  readonly link?: boolean
  readonly parents?: boolean
  readonly exclude?: readonly string[]
  readonly checksum?: string
  readonly keepGitDir?: boolean
  readonly unpack?: boolean
}

/** Works a COPY or ADD out. Throws `INVALID`. */
export function evaluatePlace(instruction: PlaceInstruction, { config, scope }: Situation): PlaceOutcome {
  const { position, heredocs, link, parents, keepGitDir, unpack } = instruction
  const env = envOf(config)
  const expand = (text: string) => expandIn(text, scope, position, env)
  const given = (['chown', 'chmod', 'checksum'] as const).flatMap((name) => {
    const value = instruction[name]
    return value === undefined ? [] : [[name, expand(value)] as const]
  })
  const from = instruction.from === undefined ? undefined : expandIn(instruction.from, scope, position)
  if (from === '') throw noStage(instruction)
  const bodies = heredocs.map(({ name, content, expand: isExpanded }) => ({
    name,
    content: isExpanded ? expandBody(content, scope, position, env) : content,
  }))
  const names = new Set(heredocs.map(({ name }) => `<<${name}`))
  return {
    kind: 'place',
    verb: instruction.instruction === 'COPY' ? 'copy' : 'add',
    sources: instruction.sources.filter((source) => !names.has(source)).map(expand),
    destination: destination(config.config?.WorkingDir ?? '/', expand(instruction.destination)),
    files: bodies,
    ...Object.fromEntries(given),
    ...(from === undefined ? {} : { from }),
    ...Object.fromEntries(
      Object.entries({ link, parents, keepGitDir, unpack }).filter(([, value]) => value !== undefined),
    ),
    ...(instruction.exclude ? { exclude: instruction.exclude.map(expand) } : {}),
  }
}

/** As in the plan, only ARGs count in `--from`. */
function noStage({ from = '', position }: PlaceInstruction): BuilderError {
  const reason = `--from is empty: ${from} has no value`
  const column = position.text.indexOf(from) + 1
  const hint = 'declare it with ARG in the stage; an ENV does not count there'
  return errorAt(column > 0 ? { ...position, column } : position, {
    operation: 'expand',
    reason,
    hint,
    length: from.length,
  })
}

function destination(workdir: string, given: string): string {
  const path = given.startsWith('/') ? given : `${workdir === '/' ? '' : workdir}/${given}`
  return /(?:^|\/)\.{1,2}$/.test(path) ? `${path}/` : path
}
