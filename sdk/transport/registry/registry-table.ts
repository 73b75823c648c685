import { BuilderError, type ErrorCode } from '../../errors.js'

/** One [[registry]] table of registries.conf. */
export interface RegistryTable {
  /** Start of the names it is for: `host[:port][/path…]` or `*.host`. */
  readonly prefix: string
  /** What takes the prefix's place; empty leaves the name as it is. */
  readonly location: string
  readonly insecure: boolean
  readonly blocked: boolean
  readonly mirrors: readonly MirrorTable[]
  /** Where it stands: `file:line`. */
  readonly where: string
}

/** One [[registry.mirror]] table. */
export interface MirrorTable {
  readonly location: string
  readonly insecure: boolean
  readonly pullFromMirror: 'all' | 'digest-only' | 'tag-only'
}

/** A file, for errors that name its lines and for values of the right type. */
export interface Place {
  readonly file: string
  /** An error at the line that `at` finds (the first, or the `nth` from 0). */
  wrong(code: ErrorCode, at: Finder, reason: string, hint?: string, nth?: number): BuilderError
  /** `file:line` of such a line; the file alone when there is none. */
  lineOf(at: Finder, nth?: number): string
  strings(table: Table, key: string): readonly string[] | undefined
}

interface Finder {
  test(line: string): boolean
}

type Table = Readonly<Record<string, unknown>>

export function placeOf(file: string, text: string): Place {
  const lines = text.split('\n')
  const lineOf = (at: Finder, nth = 0) => {
    const found = lines.flatMap((line, index) => (at.test(line) ? [index + 1] : []))[nth]
    return found === undefined ? file : `${file}:${found}`
  }
  const wrong = (code: ErrorCode, at: Finder, reason: string, hint?: string, nth?: number) =>
    new BuilderError(code, {
      operation: 'read registries.conf',
      object: lineOf(at, nth),
      reason,
      hint: hint ?? 'see containers-registries.conf(5) for the format',
    })
  const strings = (table: Table, key: string) => {
    const value = table[key]
    if (value === undefined) return undefined
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value as readonly string[]
    throw wrong('INVALID', { test: (line) => line.includes(key) }, `${key} is not a list of strings`)
  }
  return { file, lineOf, wrong, strings }
}

/** Reads the [[registry]] tables of a file. Throws `INVALID` for one that breaks containers-registries.conf(5). */
export function registryTables(value: unknown, at: Place): readonly RegistryTable[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw at.wrong('INVALID', /^\s*\[\s*registry\b/, '[[registry]] is not a list of tables')
  const tables = value.map((table: Table, index) => registryTable(table, index, at))
  for (const table of tables) {
    const other = tables.find(
      ({ prefix, insecure, blocked }) =>
        prefix === table.prefix && (insecure !== table.insecure || blocked !== table.blocked),
    )
    if (other)
      throw at.wrong(
        'INVALID',
        header,
        `${table.prefix} has two [[registry]] tables that contradict each other`,
        undefined,
        tables.indexOf(other),
      )
  }
  return tables
}

const header = /^\s*\[\[\s*registry\s*\]\]/

function registryTable(table: Table, index: number, at: Place): RegistryTable {
  const say = (reason: string) => at.wrong('INVALID', header, `this [[registry]]: ${reason}`, undefined, index)
  const read = reader(table, say)
  const location = read.location()
  const prefix = read.place('prefix') || location
  if (prefix === '') throw say('neither prefix nor location is set')
  if (location === '' && !prefix.startsWith('*.')) throw say('location is not set, and prefix is not *.host')
  if (prefix.includes('*') && !/^\*\.[^*/:]+$/.test(prefix)) throw say(`prefix ${prefix}: * may stand only as *.host`)
  const digestOnly = read.flag('mirror-by-digest-only')
  const mirrors = table.mirror ?? []
  if (!Array.isArray(mirrors)) throw say('mirror is not a list of tables')
  return {
    prefix,
    location,
    insecure: read.flag('insecure'),
    blocked: read.flag('blocked'),
    mirrors: mirrors.map((mirror: Table) => mirrorTable(mirror, digestOnly, say)),
    where: at.lineOf(header, index),
  }
}

function mirrorTable(table: Table, digestOnly: boolean, say: (reason: string) => BuilderError): MirrorTable {
  const sayMirror = (reason: string) => say(`mirror: ${reason}`)
  const read = reader(table, sayMirror)
  const location = read.location()
  if (location === '') throw sayMirror('location is not set')
  const pull = table['pull-from-mirror'] ?? ''
  if (pull !== '' && digestOnly) throw sayMirror('pull-from-mirror and mirror-by-digest-only exclude each other')
  if (pull !== '' && pull !== 'all' && pull !== 'digest-only' && pull !== 'tag-only')
    throw sayMirror(`pull-from-mirror is ${JSON.stringify(pull)}, not all, digest-only or tag-only`)
  const pullFromMirror = digestOnly ? 'digest-only' : pull || 'all'
  return { location, insecure: read.flag('insecure'), pullFromMirror }
}

function reader(table: Table, say: (reason: string) => BuilderError) {
  const place = (key: string): string => {
    const value = table[key] ?? ''
    if (typeof value !== 'string') throw say(`${key} is not a string`)
    if (/^https?:\/\//.test(value))
      throw say(`${key} ${JSON.stringify(value)} starts with a scheme; leave ${/^https?:\/\//.exec(value)?.[0]} out`)
    return value.replace(/\/+$/, '')
  }
  const flag = (key: string): boolean => {
    const value = table[key] ?? false
    if (typeof value !== 'boolean') throw say(`${key} is ${JSON.stringify(value)}, not true or false`)
    return value
  }
  return { place, flag, location: () => place('location') }
}
