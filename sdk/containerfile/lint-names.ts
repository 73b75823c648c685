import type { Finding } from './finding.js'
import type { ArgInstruction, Containerfile, FromInstruction, Instruction } from './syntax.js'

/** Rules about the names of stages and arguments, and the case of instructions. */
export function lintNames(file: Containerfile): readonly Finding[] {
  return [...stageNames(file), ...casing(file), ...descriptions(file)]
}

function stageNames({ stages }: Containerfile): readonly Finding[] {
  const seen = new Set<string>()
  return stages.flatMap(({ from, name }) => {
    if (name === undefined) return []
    const isTwice = seen.has(name)
    seen.add(name)
    const say = (rule: string, message: string): Finding => ({ rule, message, at: from })
    return [
      ...(from.as !== name ? [say('StageNameCasing', `Stage name '${from.as}' should be lowercase`)] : []),
      ...(reserved.has(name) ? [say('ReservedStageName', `Stage name should not be the reserved word "${name}"`)] : []),
      ...(isTwice ? [say('DuplicateStageName', `Duplicate stage name "${name}", stage names should be unique`)] : []),
      ...asCasing(from),
    ]
  })
}

const reserved = new Set(['context', 'scratch'])

/** `as` belongs to `from`, `AS` to `FROM`; a mixed `From` is told by another rule. */
function asCasing(from: FromInstruction): readonly Finding[] {
  const keyword = wordOf(from)
  const as = from.original.split(/\s+/).at(-2) ?? ''
  const wanted = keyword === keyword.toUpperCase() ? as.toUpperCase() : as.toLowerCase()
  if (as === wanted || !isOneCase(keyword)) return []
  return [{ rule: 'FromAsCasing', message: `'${as}' and '${keyword}' keywords' casing do not match`, at: from }]
}

function casing({ stages }: Containerfile): readonly Finding[] {
  const all = stages.flatMap(({ from, instructions }) => [from, ...instructions])
  const words = all.map(wordOf).filter(isOneCase)
  const lower = words.filter((word) => word === word.toLowerCase()).length
  const [wanted, change] =
    lower > words.length - lower
      ? (['lowercase', (word: string) => word.toLowerCase()] as const)
      : (['uppercase', (word: string) => word.toUpperCase()] as const)
  return all
    .filter((one) => change(wordOf(one)) !== wordOf(one))
    .map((at) => ({
      rule: 'ConsistentInstructionCasing',
      message: `Command '${wordOf(at)}' should match the case of the command majority (${wanted})`,
      at,
    }))
}

/** A comment right in front of a stage or an argument describes it, and begins with its name. */
function descriptions({ args, stages }: Containerfile): readonly Finding[] {
  const inStages = stages.flatMap(({ from, instructions }) => [from, ...instructions])
  return [...args, ...inStages].flatMap((at) => {
    const names =
      at.instruction === 'ARG' ? namesOf(at) : at.instruction === 'FROM' && at.as ? [at.as.toLowerCase()] : []
    const said = at.comments?.at(-1)
    if (said === undefined || names.length === 0 || names.includes(said.split(' ', 1)[0] ?? '')) return []
    const form = `# ${names.length === 1 ? names[0] : '<arg_key>'} <description>`
    const message = `Comment for ${at.instruction} should follow the format: \`${form}\``
    return [{ rule: 'InvalidDefinitionDescription', message, at }]
  })
}

function namesOf({ args }: ArgInstruction): readonly string[] {
  return args.map(({ name }) => name)
}

function wordOf({ original }: FromInstruction | Instruction): string {
  return /^\S*/.exec(original)?.[0] ?? ''
}

function isOneCase(word: string): boolean {
  return word === word.toLowerCase() || word === word.toUpperCase()
}
