import { cannot, type Known } from './convert-config.js'
import type { Call, Option, Place, Secret, Statement } from './convert-recipe.js'
import { text, type Value } from './convert-value.js'
import { evaluateRun } from './evaluate-run.js'
import { fromOf, needsContext } from './place-text.js'
import type { PlaceInstruction, Position, RunInstruction, ValueInstruction } from './syntax.js'

/** What a `--from` names: a container of the recipe, or an image. */
export type Origin = (name: string, position: Position) => Place | undefined

/** Converts a RUN. Throws `INVALID`, with the place. */
export function convertRun(
  instruction: RunInstruction,
  { scope, situation }: Known,
  origin: Origin,
): readonly Statement[] {
  const { position, mounts, network, security, device } = instruction
  const { command, heredocs, original } = instruction
  const plain: RunInstruction = { instruction: 'RUN', command, heredocs, original, position, mounts: [] }
  const { argv, script } = evaluateRun(plain, situation)
  if (script) throw cannot(position, 'a heredoc that is a program of its own (#!)')
  const given = scope.given()
  const secrets = mounts.flatMap((mount) => secretOf(mount, position))
  const options: Option[] = [
    ...(given.length > 0 ? [{ name: 'buildArg', kind: 'given', variables: given } as const] : []),
    ...many(
      'mount',
      mounts.map((mount) => mountOf(scope.value(mount, position), mount, origin, position)),
    ),
    ...(needsContext(mounts) ? [{ name: 'contextdir', kind: 'place', place: 'context' } as const] : []),
    ...(secrets.length > 0 ? [{ name: 'secret', kind: 'secrets', secrets } as const] : []),
    ...many('ssh', mounts.some((mount) => typeOf(mount) === 'ssh') ? [text('default')] : []),
    ...(network === undefined || network === 'default' ? [] : [one('network', scope.value(network, position))]),
    ...(security === undefined || security === 'sandbox' ? [] : insecure(scope.value(security, position))),
    ...many('device', (device ?? []).map(text)),
  ]
  return [call('run', scope.container, options, argv.map(text))]
}

function insecure(value: Value): readonly Option[] {
  return [one('security', value), { name: 'allow', kind: 'list', values: [text('security.insecure')] }]
}

/** A mount with the recipe's container in place of the stage. */
function mountOf(value: Value, written: string, origin: Origin, position: Position): Value {
  const name = fromOf(written)
  const place = name === undefined ? undefined : origin(name, position)
  if (name === undefined || typeof place !== 'object') return value
  const parts = written.split(',').map((part) => (/^\s*from\s*=/i.test(part) ? undefined : part))
  if (value.some(({ kind }) => kind !== 'text')) throw cannot(position, 'a mount from a stage with variables in it')
  return parts.flatMap((part, i): Value => {
    const comma = i > 0 ? ',' : ''
    if (part !== undefined) return text(`${comma}${part}`)
    return [...text(`${comma}from=`), { kind: 'variable', name: place.container }]
  })
}

function typeOf(mount: string): string {
  return /(?:^|,)\s*type\s*=\s*(\w+)/i.exec(mount)?.[1]?.toLowerCase() ?? 'bind'
}

/** A secret is in a variable of the environment when the recipe runs; one that is not set is not given. */
function secretOf(mount: string, position: Position): readonly Secret[] {
  if (typeOf(mount) !== 'secret') return []
  const id =
    /(?:^|,)\s*id\s*=\s*([^,]+)/i.exec(mount)?.[1] ??
    /(?:^|,)\s*(?:target|dst|destination)\s*=\s*(?:[^,]*\/)?([^,/]+)/i.exec(mount)?.[1]
  if (id === undefined || !/^[\w.-]+$/.test(id)) throw cannot(position, 'a secret without a plain id')
  return [{ id, variable: `SECRET_${id.replace(/\W/g, '_').toUpperCase()}` }]
}

/** Converts a COPY or an ADD. Throws `INVALID`, with the place. */
export function convertPlace(instruction: PlaceInstruction, { scope }: Known, origin: Origin): readonly Statement[] {
  const { position, heredocs, from, chown, chmod, link, parents, exclude, checksum, keepGitDir, unpack } = instruction
  const value = (written: string) => scope.value(written, position)
  const names = new Set(heredocs.map(({ name }) => `<<${name}`))
  const sources = instruction.sources.filter((source) => !names.has(source))
  if (heredocs.length > 0 && sources.length > 0) throw cannot(position, 'a heredoc beside other sources')
  const verb = instruction.instruction === 'COPY' || heredocs.length > 0 ? 'copy' : 'add'
  if (verb === 'copy' && instruction.instruction === 'ADD') throw cannot(position, 'ADD of a heredoc')
  const files = heredocs.map(({ name, content, expand }): Statement => {
    const body = expand ? scope.body(content, position) : text(content)
    return { kind: 'file', name, content: body }
  })
  const options: Option[] = [
    placeOption(from, heredocs.length > 0, origin, position),
    ...(chown === undefined ? [] : [one('chown', value(chown))]),
    ...(chmod === undefined ? [] : [one('chmod', value(chmod))]),
    ...(link ? [{ name: 'link', kind: 'flag', value: true } as const] : []),
    ...(parents ? [{ name: 'parents', kind: 'flag', value: true } as const] : []),
    ...many('exclude', (exclude ?? []).map(value)),
    ...(checksum === undefined ? [] : [one('checksum', value(checksum))]),
    ...(keepGitDir ? [{ name: 'keepGitDir', kind: 'flag', value: true } as const] : []),
    ...(unpack === undefined ? [] : [{ name: 'unpack', kind: 'flag', value: unpack } as const]),
  ]
  const words = heredocs.length > 0 ? heredocs.map(({ name }) => text(name)) : sources.map(value)
  return [...files, call(verb, scope.container, options, [...words, value(instruction.destination)])]
}

function placeOption(from: string | undefined, hasFiles: boolean, origin: Origin, position: Position): Option {
  if (hasFiles) return { name: 'contextdir', kind: 'place', place: 'files' }
  if (from === undefined) return { name: 'contextdir', kind: 'place', place: 'context' }
  const place = origin(from, position)
  return place === undefined ? one('from', text(from)) : { name: 'from', kind: 'place', place }
}

/** Converts a WORKDIR. */
export function convertWorkdir({ value, position }: ValueInstruction, { scope }: Known): readonly Statement[] {
  return [call('workdir', scope.container, [], [scope.value(value, position)])]
}

function call(verb: Call['verb'], container: string, options: readonly Option[], words: readonly Value[]): Call {
  return { kind: 'call', verb, container, options, words }
}

function one(name: string, value: Value): Option {
  return { name, kind: 'one', value }
}

function many(name: string, values: readonly Value[]): readonly Option[] {
  return values.length === 0 ? [] : [{ name, kind: 'list', values }]
}
