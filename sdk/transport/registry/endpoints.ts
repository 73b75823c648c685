import { BuilderError } from '../../errors.js'
import { formatReference, parseReference, type Reference } from '../../image/reference.js'
import type { Endpoint, RegistryOptions } from './access.js'
import { certDirsFor } from './certs.js'
import { canonicalName, requestHost } from './docker-hub.js'
import { type RegistriesConf, type RegistriesFiles, readRegistriesConf } from './registries-conf.js'
import type { RegistryTable } from './registry-table.js'

/**
 * The places to read an image from, in order: the mirrors that registries.conf gives, the registry last.
 *
 * Throws `UNSUPPORTED` when the name is blocked, `INVALID` when registries.conf is wrong or makes a name of the wrong form,
 * `NOT_FOUND` for a certificate folder that was named and is not there, `USAGE` for a short name.
 */
export async function endpointsFor(
  reference: Reference,
  options: RegistryOptions & RegistriesFiles = {},
): Promise<readonly Endpoint[]> {
  const name = canonicalReference(reference)
  const conf = await readRegistriesConf(options)
  const table = tableFor(name, conf)
  if (!table) return [await endpoint(name, false, false, options)]
  refuseBlocked(name, table)
  const mirrors = table.mirrors
    .filter(({ pullFromMirror: when }) => when === 'all' || (when === 'digest-only') === (name.digest !== undefined))
    .map(({ location, insecure }) => ({ name: rewritten(name, table, location), insecure }))
    .filter((mirror) => !tableFor(mirror.name, conf)?.blocked)
  const primary = rewritten(name, table, table.location)
  refuseBlocked(primary, tableFor(primary, conf))
  return Promise.all([
    ...mirrors.map((mirror) => endpoint(mirror.name, mirror.insecure, true, options)),
    endpoint(primary, table.insecure, false, options),
  ])
}

/**
 * The one place to push to or to delete in: registries.conf's mirrors and locations are for reading only, what it says of
 * blocked and insecure counts (containers-registries.conf(5), Remapping and mirroring registries). Throws as
 * {@link endpointsFor} does.
 */
export async function pushEndpointFor(
  reference: Reference,
  options: RegistryOptions & RegistriesFiles = {},
): Promise<Endpoint> {
  const name = canonicalReference(reference)
  const table = tableFor(name, await readRegistriesConf(options))
  refuseBlocked(name, table)
  return endpoint(name, table?.insecure ?? false, false, options)
}

type FullName = Reference & { readonly registry: string }

function canonicalReference(reference: Reference): FullName {
  const { registry, repository, ...rest } = reference
  if (registry === undefined)
    throw new BuilderError('USAGE', {
      operation: 'find registry of',
      object: formatReference(reference),
      reason: 'the name has no registry',
      hint: 'write the full name, registry/repository:tag',
    })
  const { host, ...name } = canonicalName(registry, repository)
  return { registry: host, ...name, ...rest }
}

/** The table with the longest prefix that fits; of two of one length the first by bytes, as podman has it. */
function tableFor(name: FullName, { registries }: RegistriesConf): RegistryTable | undefined {
  const text = formatReference(name)
  const fitting = registries.filter(({ prefix }) => matched(text, prefix) > 0)
  const order = (a: string, b: string) => b.length - a.length || (a < b ? -1 : 1)
  return fitting.sort((a, b) => order(a.prefix, b.prefix))[0]
}

/** How much of a name a prefix covers; 0 when it does not fit. It ends before a separator, and `*` covers any subdomains. */
function matched(name: string, prefix: string): number {
  const rest = prefix.slice(prefix.startsWith('*.') ? 1 : 0)
  const start = rest === prefix ? 0 : (name.split('/', 1)[0]?.lastIndexOf(rest) ?? -1)
  if (start < 0 || !name.startsWith(rest, start)) return 0
  const end = start + rest.length
  return end === name.length || ':/@'.includes(name[end] ?? '') ? end : 0
}

/** The name with a location in the place of the prefix. */
function rewritten(name: FullName, table: RegistryTable, location: string): FullName {
  if (location === '') return name
  const text = formatReference(name)
  const other = `${location}${text.slice(matched(text, table.prefix))}`
  const slash = other.indexOf('/')
  const path = slash < 0 ? undefined : readable(other.slice(slash + 1))
  if (path && path.tag === name.tag && path.digest === name.digest)
    return canonicalReference({ ...path, registry: other.slice(0, slash) })
  throw new BuilderError('INVALID', {
    operation: 'find registry of',
    object: text,
    reason: `the [[registry]] at ${table.where} makes ${JSON.stringify(other)} of it`,
    hint: 'prefix and location must end at the same part of a name: both at the host, or both at a folder',
  })
}

function readable(path: string): Reference | undefined {
  try {
    const { registry, repository, ...rest } = parseReference(`host.invalid/${path}`)
    return { repository, ...rest }
  } catch {
    return undefined
  }
}

function refuseBlocked(name: FullName, table: RegistryTable | undefined): void {
  if (!table?.blocked) return
  throw new BuilderError('UNSUPPORTED', {
    operation: 'reach',
    object: formatReference(name),
    reason: `${table.prefix} is blocked by the [[registry]] at ${table.where}`,
    hint: 'use another registry, or take blocked = true away there',
  })
}

/** What --tls-verify says counts more than registries.conf. */
async function endpoint(
  { registry, repository }: FullName,
  isInsecure: boolean,
  isMirror: boolean,
  { tlsVerify, certDir }: RegistryOptions,
): Promise<Endpoint> {
  return {
    host: requestHost(registry),
    repository,
    insecure: tlsVerify === undefined ? isInsecure : !tlsVerify,
    certDirs: await certDirsFor(registry, certDir),
    isMirror,
  }
}
