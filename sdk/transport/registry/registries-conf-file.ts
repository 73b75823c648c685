import { BuilderError } from '../../errors.js'
import { readIfThere } from './configuration-file.js'
import { type Place, placeOf, type RegistryTable, registryTables } from './registry-table.js'

/** What one file of containers-registries.conf(5) says; what it does not say is absent. */
export interface RegistriesConfFile {
  readonly search?: readonly string[]
  readonly mode?: ShortNameMode
  readonly credentialHelpers?: readonly string[]
  readonly registries: readonly RegistryTable[]
  /** Full names without tag by short name; an empty one takes the alias away. */
  readonly aliases: ReadonlyMap<string, Alias>
}

export type ShortNameMode = 'enforcing' | 'permissive' | 'disabled'

export interface Alias {
  readonly name: string
  readonly file: string
}

/**
 * Reads one file; undefined when it is not there. Throws `INVALID`, naming file and line, for one that is no TOML or breaks
 * containers-registries.conf(5), and `UNSUPPORTED` for its version 1.
 */
export async function readRegistriesConfFile(file: string): Promise<RegistriesConfFile | undefined> {
  const text = await readIfThere(file, 'read registries.conf')
  if (text === undefined) return undefined
  const document = await parseToml(file, text)
  const at = placeOf(file, text)
  if (document.registries !== undefined)
    throw at.wrong('UNSUPPORTED', /^\s*\[\s*registries\b/, 'it is in the version 1 format', v1Hint)
  const helpers = at.strings(document, 'credential-helpers')
  const mode = modeOf(document, at)
  const search = searchList(document, at)
  return {
    ...(search && { search }),
    ...(mode && { mode }),
    ...(helpers && { credentialHelpers: helpers }),
    registries: registryTables(document.registry, at),
    aliases: aliasesOf(document.aliases, at),
  }
}

const v1Hint = 'write it as version 2: unqualified-search-registries = […] and [[registry]] tables'

async function parseToml(file: string, text: string): Promise<Readonly<Record<string, unknown>>> {
  const { parse, TomlError } = await import('smol-toml')
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [reason = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    throw new BuilderError('INVALID', {
      operation: 'read registries.conf',
      object: `${file}:${error.line}:${error.column}`,
      reason: `it is not TOML: ${reason}`,
      hint: 'see containers-registries.conf(5) for the format',
    })
  }
}

function searchList(document: Readonly<Record<string, unknown>>, at: Place): readonly string[] | undefined {
  const key = 'unqualified-search-registries'
  const list = at.strings(document, key)?.map((host) => host.replace(/\/+$/, ''))
  const odd = list?.find((host) => !/^[A-Za-z0-9.-]+(?::\d+)?$/.test(host))
  if (odd === undefined) return list
  throw at.wrong(
    'INVALID',
    /^\s*"?unqualified-search-registries/,
    `${JSON.stringify(odd)} in ${key} is not host[:port]`,
  )
}

function modeOf(document: Readonly<Record<string, unknown>>, at: Place): ShortNameMode | undefined {
  const mode = document['short-name-mode']
  if (mode === undefined || mode === '') return undefined
  if (mode === 'enforcing' || mode === 'permissive' || mode === 'disabled') return mode
  const reason = `short-name-mode is ${JSON.stringify(mode)}, not enforcing, permissive or disabled`
  throw at.wrong('INVALID', /^\s*"?short-name-mode/, reason)
}

function aliasesOf(table: unknown, at: Place): ReadonlyMap<string, Alias> {
  if (table === undefined) return new Map()
  if (table === null || typeof table !== 'object' || Array.isArray(table))
    throw at.wrong('INVALID', /aliases/, '[aliases] is not a table')
  return new Map(
    Object.entries(table).map(([short, name]) => [short, { name: target(short, name, at), file: at.file }]),
  )
}

/** Neither side may carry a tag or a digest, and the left one no registry (containers-registries.conf(5), Short-Name Aliasing). */
function target(short: string, name: unknown, at: Place): string {
  const line = { test: (text: string) => text.replace(/["'\s]/g, '').startsWith(`${short}=`) }
  const [first = ''] = short.split('/')
  if (/[:@]/.test(short) || (short.includes('/') && (first.includes('.') || first === 'localhost')))
    throw at.wrong('INVALID', line, `the alias ${JSON.stringify(short)} is not a short name without tag and digest`)
  if (name === '') return ''
  if (typeof name === 'string' && /^(?:[^/@]*[.:][^/@]*|localhost)\/[^:@]+$/.test(name)) return name
  const reason = `the alias ${JSON.stringify(short)} does not point to a full name (registry/repository, no tag, no digest)`
  throw at.wrong('INVALID', line, reason)
}
