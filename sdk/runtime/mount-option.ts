import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import type { CacheSharing, MountFlag, MountWish } from './mount-request.js'
import { insidePath, setFlag, unknownOption, wrong } from './volume.js'

/**
 * Reads a `--mount`: `type=bind|tmpfs|cache,KEY=VALUE,…` with the field's synonyms (`src`, `dst`, `target`, `readonly`
 * …). A bind is read-only unless `rw` is given (buildah and the Dockerfile frontend); the others are writable.
 *
 * Throws `USAGE` with a suggestion for what is not known, and `UNSUPPORTED` for what cannot be honoured.
 *
 * @example
 * ```ts
 * import { parseMount } from './mount-option.js'
 * parseMount('type=tmpfs,dst=/scratch,size=64m') // { type: 'tmpfs', destination: '/scratch', size: 67108864 }
 * ```
 */
export function parseMount(text: string): MountWish {
  const fields = fieldsOf(text)
  const type = fields.get('type') ?? 'bind'
  fields.delete('type')
  const flags = new Set<MountFlag>()
  const keys = keysOf(type, text)
  const given: Partial<Record<string, string>> = {}
  for (const [name, value] of fields) {
    const key = synonyms[name] ?? name
    if (!keys.includes(key)) throw unknownOption(text, name, [...keys, ...synonymsOf(keys)])
    if (!setFlag(flags, key)) given[key] = key === 'ro' ? readonlyOf(name, value, text) : value
  }
  if (!given.destination) throw wrong(text, 'destination is missing', 'add dst=/path')
  const common = { destination: insidePath(text, given.destination), ...(flags.size ? { flags: [...flags] } : {}) }
  if (type === 'tmpfs') return { type, ...common, ...tmpfsFields(given, text) }
  if (type === 'cache') return { type, destination: common.destination, ...cacheFields(given, text) }
  return { type: 'bind', ...common, readonly: given.ro !== 'false', ...bindFields(given) }
}

/** `key=value` pairs; a key alone has the value ''. */
function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const field of text.split(',')) {
    const equals = field.indexOf('=')
    const key = equals < 0 ? field : field.slice(0, equals)
    if (fields.has(key)) throw wrong(text, `${key} is given twice`)
    fields.set(key, equals < 0 ? '' : field.slice(equals + 1))
  }
  return fields
}

function keysOf(type: string, text: string): readonly string[] {
  const keys = keysByType[type]
  if (keys) return keys
  if (type === 'secret' || type === 'ssh')
    throw new BuilderError('UNSUPPORTED', {
      operation: 'read mount',
      object: JSON.stringify(text),
      reason: `a mount of type ${type} is not one of files`,
      hint: 'mount the file itself with type=bind',
    })
  const near = nearestWord(type, Object.keys(keysByType))
  const hint = near ? `did you mean ${near}?` : `known are ${Object.keys(keysByType).join(', ')}`
  throw wrong(text, `there is no type ${JSON.stringify(type)}`, hint)
}

/** 'true' or 'false' for `ro`, `ro=true`, `rw`, `rw=false` … */
function readonlyOf(name: string, value: string, text: string): string {
  if (!['', 'true', 'false', '1', '0'].includes(value)) throw wrong(text, `${name}=${value} is neither true nor false`)
  const on = value !== 'false' && value !== '0'
  return String(name.startsWith('rw') || name === 'readwrite' ? !on : on)
}

function bindFields({ source, from }: Partial<Record<string, string>>) {
  return { ...(source === undefined ? {} : { source }), ...(from === undefined ? {} : { from }) }
}

function tmpfsFields({ size, mode, ro }: Partial<Record<string, string>>, text: string) {
  return {
    ...(size === undefined ? {} : { size: bytesOf(size, text) }),
    ...(mode === undefined ? {} : { mode: octal(mode, text) }),
    ...(ro === 'true' ? { readonly: true } : {}),
  }
}

function cacheFields(given: Partial<Record<string, string>>, text: string) {
  const { id, from, source, sharing, mode, uid, gid, ro } = given
  if (sharing !== undefined && !isSharing(sharing))
    throw wrong(text, `sharing=${sharing} is not shared, private or locked`)
  return {
    ...(id === undefined ? {} : { id }),
    ...(from === undefined ? {} : { from }),
    ...(source === undefined ? {} : { source }),
    ...(sharing === undefined ? {} : { sharing }),
    ...(mode === undefined ? {} : { mode: octal(mode, text) }),
    ...(uid === undefined ? {} : { uid: whole('uid', uid, text) }),
    ...(gid === undefined ? {} : { gid: whole('gid', gid, text) }),
    ...(ro === 'true' ? { readonly: true } : {}),
  }
}

function isSharing(word: string): word is CacheSharing {
  return word === 'shared' || word === 'private' || word === 'locked'
}

/** Bytes, or with a suffix b, k, m, g, t: powers of 1024. */
function bytesOf(word: string, text: string): number {
  const [, digits, unit = ''] = /^(\d+)([bkmgt]?)b?$/i.exec(word) ?? []
  if (digits === undefined) throw wrong(text, `size=${word} is not a number of bytes`, 'write for example size=64m')
  return Number(digits) * 1024 ** Math.max(0, 'bkmgt'.indexOf(unit.toLowerCase() || 'b'))
}

function octal(word: string, text: string): number {
  if (/^[0-7]{1,5}$/.test(word)) return Number.parseInt(word, 8)
  throw wrong(text, `mode=${word} is not an octal number`, 'write for example mode=0755')
}

function whole(key: string, word: string, text: string): number {
  if (/^\d{1,10}$/.test(word)) return Number(word)
  throw wrong(text, `${key}=${word} is not a number`)
}

function synonymsOf(keys: readonly string[]): string[] {
  return Object.keys(synonyms).filter((name) => keys.includes(synonyms[name] as string))
}

const flagKeys = ['nosuid', 'suid', 'nodev', 'dev', 'noexec', 'exec']
const keysByType: Readonly<Record<string, readonly string[]>> = {
  bind: ['source', 'destination', 'ro', 'from', 'relabel', ...flagKeys],
  tmpfs: ['destination', 'ro', 'size', 'mode', ...flagKeys],
  cache: ['id', 'source', 'destination', 'ro', 'from', 'sharing', 'mode', 'uid', 'gid'],
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
