import { nearestWord } from '../image/near-word.js'
import { type MountFields, mountFields, octal, parseBytes, truth, whole } from './mount-fields.js'
import type { CacheSharing, MountFlag, MountWish } from './mount-request.js'
import { insidePath, setFlag, unknownOption, wrong } from './volume.js'

/**
 * Reads a `--mount`: `type=bind|tmpfs|cache|secret|ssh,KEY=VALUE,…` with the field's synonyms (`src`, `dst`, `target`,
 * `readonly` …). A bind is read-only unless `rw` is given; tmpfs and caches are writable. A destination may be relative:
 * then it counts from the command's working folder. Source: Dockerfile reference, "RUN --mount"; buildah-run(1).
 *
 * Throws `USAGE` with a suggestion for what is not known.
 *
 * @example
 * ```ts
 * import { parseMount } from './mount-option.js'
 * parseMount('type=tmpfs,dst=/scratch,size=64m') // { type: 'tmpfs', destination: '/scratch', size: 67108864 }
 * ```
 */
export function parseMount(text: string): MountWish {
  const fields = mountFields(text)
  const type = fields.get('type') ?? 'bind'
  const known = readers[type]
  if (known) return known.read(keyed(fields, known.keys, text))
  const near = nearestWord(type, Object.keys(readers))
  const hint = near ? `did you mean ${near}?` : `known are ${Object.keys(readers).join(', ')}`
  throw wrong(text, `there is no type ${JSON.stringify(type)}`, hint)
}

interface Given {
  readonly text: string
  readonly flags: ReadonlySet<MountFlag>
  readonly values: Partial<Readonly<Record<string, string>>>
}

/** The fields under their proper names. */
function keyed(fields: MountFields, keys: readonly string[], text: string): Given {
  const flags = new Set<MountFlag>()
  const values: Partial<Record<string, string>> = {}
  for (const [name, value] of fields) {
    if (name === 'type') continue
    const key = synonyms[name] ?? name
    if (!keys.includes(key)) throw unknownOption(text, name, [...keys, ...synonymsOf(keys)])
    if (setFlag(flags, key)) continue
    if (values[key] !== undefined && key !== 'ro') throw wrong(text, `${key} is given twice`)
    values[key] = key === 'ro' ? String(isReadonly(name, value, text)) : value
  }
  return { text, flags, values }
}

function isReadonly(name: string, value: string, text: string): boolean {
  return truth(name, value, text) !== (name === 'rw' || name === 'readwrite')
}

function bind(given: Given): MountWish {
  const { source, from, ro } = given.values
  return {
    type: 'bind',
    ...placed(given),
    readonly: ro !== 'false',
    ...(source === undefined ? {} : { source }),
    ...(from === undefined ? {} : { from }),
  }
}

function tmpfs(given: Given): MountWish {
  const { size, ro } = given.values
  return {
    type: 'tmpfs',
    ...placed(given),
    ...(size === undefined ? {} : { size: bytesOf(size, given.text) }),
    ...modeOf(given),
    ...(ro === 'true' ? { readonly: true } : {}),
  }
}

function cache(given: Given): MountWish {
  const { id, from, source, sharing, ro } = given.values
  if (sharing !== undefined && !isSharing(sharing))
    throw wrong(given.text, `sharing=${sharing} is not shared, private or locked`)
  return {
    type: 'cache',
    destination: placed(given).destination,
    ...(id === undefined ? {} : { id }),
    ...(from === undefined ? {} : { from }),
    ...(source === undefined ? {} : { source }),
    ...(sharing === undefined ? {} : { sharing }),
    ...modeOf(given),
    ...ownerOf(given),
    ...(ro === 'true' ? { readonly: true } : {}),
  }
}

/** `source` is another word for the id; without one the last name of the destination is. */
function secret(given: Given): MountWish {
  const { text } = given
  const { source, destination, env, required = 'false' } = given.values
  const id = given.values.id ?? source ?? destination?.split('/').at(-1)
  if (!id) throw wrong(text, 'id is missing', 'add id=NAME, and give the secret with --secret id=NAME,src=FILE')
  if (env !== undefined && !/^[^=\0]+$/.test(env)) throw wrong(text, 'env has no name of a variable')
  return {
    type: 'secret',
    id,
    required: truth('required', required, text),
    ...(destination ? { destination: insidePath(text, destination, 'relative') } : {}),
    ...(env === undefined ? {} : { env }),
    ...modeOf(given),
    ...ownerOf(given),
  }
}

function ssh(given: Given): MountWish {
  const { text } = given
  const { id, destination, required = 'false' } = given.values
  return {
    type: 'ssh',
    id: id || 'default',
    required: truth('required', required, text),
    ...(destination ? { destination: insidePath(text, destination, 'relative') } : {}),
    ...modeOf(given),
    ...ownerOf(given),
  }
}

function placed({ text, flags, values: { destination } }: Given) {
  if (!destination) throw wrong(text, 'destination is missing', 'add dst=/path')
  return {
    destination: insidePath(text, destination, 'relative'),
    ...(flags.size ? { flags: [...flags] } : {}),
  }
}

function modeOf({ text, values: { mode } }: Given): { mode?: number } {
  return mode === undefined ? {} : { mode: octal(mode, text) }
}

function ownerOf({ text, values: { uid, gid } }: Given): { uid?: number; gid?: number } {
  return {
    ...(uid === undefined ? {} : { uid: whole('uid', uid, text) }),
    ...(gid === undefined ? {} : { gid: whole('gid', gid, text) }),
  }
}

function isSharing(word: string): word is CacheSharing {
  return word === 'shared' || word === 'private' || word === 'locked'
}

function bytesOf(word: string, text: string): number {
  const bytes = parseBytes(word)
  if (bytes !== undefined) return bytes
  throw wrong(text, `size=${word} is not a number of bytes`, 'write for example size=64m')
}

function synonymsOf(keys: readonly string[]): string[] {
  return Object.keys(synonyms).filter((name) => keys.includes(synonyms[name] as string))
}

const flagKeys = ['nosuid', 'suid', 'nodev', 'dev', 'noexec', 'exec']
const owned = ['mode', 'uid', 'gid']
const readers: Readonly<
  Record<string, { readonly keys: readonly string[]; readonly read: (given: Given) => MountWish }>
> = {
  bind: { keys: ['source', 'destination', 'ro', 'from', 'relabel', ...flagKeys], read: bind },
  tmpfs: { keys: ['destination', 'ro', 'size', 'mode', ...flagKeys], read: tmpfs },
  cache: { keys: ['id', 'source', 'destination', 'ro', 'from', 'sharing', ...owned], read: cache },
  secret: { keys: ['id', 'source', 'destination', 'env', 'required', ...owned], read: secret },
  ssh: { keys: ['id', 'destination', 'required', ...owned], read: ssh },
}
const synonyms: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'destination',
  target: 'destination',
  readonly: 'ro',
  rw: 'ro',
  readwrite: 'ro',
  'tmpfs-size': 'size',
  'tmpfs-mode': 'mode',
  z: 'relabel',
  Z: 'relabel',
}
