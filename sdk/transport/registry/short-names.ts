import { BuilderError } from '../../errors.js'
import { formatReference, parseReference, type Reference } from '../../image/reference.js'
import { canonicalName } from './docker-hub.js'
import { type RegistriesConf, type RegistriesFiles, readRegistriesConf, recordedAliases } from './registries-conf.js'

/**
 * The full names that a short name may stand for, in the order to try them (containers-registries.conf(5), Short-Name
 * Aliasing). A full name is itself; `localhost/` names are full. Nothing is taken for docker.io unless a file says so.
 *
 * Throws `NOT_FOUND` when nothing says where the name belongs, `USAGE` when several registries may be meant and
 * short-name-mode is enforcing, `INVALID` for a name or a file of the wrong form.
 */
export async function shortNameCandidates(name: string, files: RegistriesFiles = {}): Promise<readonly Reference[]> {
  const reference = parseReference(name)
  if (reference.registry !== undefined) return [full(reference.registry, reference.repository, reference)]
  const conf = await readRegistriesConf(files)
  const recorded = (await recordedAliases(files)).get(reference.repository)
  const alias = recorded?.name || conf.aliases.get(reference.repository)?.name
  if (alias) {
    const slash = alias.indexOf('/')
    return [full(alias.slice(0, slash), alias.slice(slash + 1), reference)]
  }
  if (conf.search.length === 0) throw nowhere(name, reference, conf)
  const candidates = conf.search.map((registry) => full(registry, reference.repository, reference))
  if (conf.mode === 'enforcing' && candidates.length > 1) throw ambiguous(name, candidates)
  return candidates
}

function full(registry: string, path: string, { tag, digest }: Reference): Reference {
  const { host, repository } = canonicalName(registry, path)
  return { registry: host, repository, ...(tag && { tag }), ...(digest && { digest }) }
}

function nowhere(name: string, reference: Reference, { files }: RegistriesConf): BuilderError {
  const hub = formatReference(full('docker.io', reference.repository, reference))
  const where =
    files.length > 0
      ? `no alias and no unqualified-search-registries in ${files.join(', ')}`
      : 'there is no registries.conf'
  return new BuilderError('NOT_FOUND', {
    operation: 'resolve short name',
    object: name,
    reason: `nothing says which registry it is in: ${where}`,
    hint: `write the full name, as ${hub}, or set unqualified-search-registries = ["docker.io"] in ~/.config/containers/registries.conf`,
  })
}

function ambiguous(name: string, candidates: readonly Reference[]): BuilderError {
  return new BuilderError('USAGE', {
    operation: 'resolve short name',
    object: name,
    reason: `it may be ${candidates.map(formatReference).join(' or ')}, and short-name-mode is enforcing`,
    hint: 'write one of these in full, or give it an alias in registries.conf',
  })
}
